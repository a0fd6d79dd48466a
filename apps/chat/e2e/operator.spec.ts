import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "@playwright/test";
import axe from "axe-core";
import { answers, composer, isIdle, notice, send, spend } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

const TOKEN = "a token of at least 32 characters";

test.use({
  // Each test has its own database and log, because policies are stored in the database and replays read the log.
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the requested fixtures from the pattern
  variables: async ({}, use) => {
    const folder = mkdtempSync(path.join(tmpdir(), "headgate-operator-"));
    await use({ OPERATOR_TOKEN: TOKEN, DATABASE_URL: "pglite://memory", DECISION_LOG: folder });
    rmSync(folder, { recursive: true, force: true });
  },
  expected: [status(429), status(401), status(422), status(409)],
  contextOptions: { reducedMotion: "reduce" },
});

/** Checks with axe that there are no violations. In the dark theme, only colours are checked, because nothing else differs. */
async function expectAccessible(page: Page): Promise<void> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  for (const [colorScheme, rules] of [
    ["light", undefined],
    ["dark", ["color-contrast"]],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate(async (rules) => {
      const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, {
        resultTypes: ["violations"],
        ...(rules && { runOnly: [...rules] }),
      });
      return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }));
    }, rules);
    expect(found, colorScheme).toEqual([]);
  }
  // No element may extend beyond the edge of the screen.
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(beyond).toBeLessThanOrEqual(0);
}

const region = (page: Page, name: string) => page.getByRole("region", { name, exact: true }).first();
const go = (page: Page, name: string) =>
  page.getByRole("navigation", { name: "Console" }).getByRole("link", { name }).click();

/** Sends a question like a program with an X-User-Id, and reads the answer to its end. */
async function statusFor(page: Page, user: string): Promise<number> {
  const response = await page.request.post("/chat/message", {
    data: { messages: [{ role: "user", content: "hello" }] },
    headers: { "X-User-Id": user },
  });
  await response.body();
  return response.status();
}

/** Types another policy, with another limit per minute. */
async function typePolicy(page: Page, perMinute: number): Promise<void> {
  const area = page.getByLabel("Policy as JSON");
  await area.fill((await area.inputValue()).replace(/\d+\/minute; /, `${perMinute}/minute; `));
}

test("an operator explains a refusal, lifts the caller's limit, tries a policy on the log and as a shadow, makes it live, rolls it back, and sees each action in the log", async ({
  page,
  newVisitor,
  time,
}) => {
  await spend(page, 5);
  await page.goto("/");
  await send(page, "take-home on £52,000");
  await expect(notice(page)).toBeVisible();
  const told =
    (await notice(page)
      .getByText(/^Request /)
      .textContent()) ?? "";
  const id = told.replace("Request ", "");
  expect(id).toMatch(/^[\w-]{36}$/);

  const operator = await newVisitor({ reducedMotion: "reduce" });
  await operator.goto("/operator");
  await expect(operator.getByLabel("Token")).toBeVisible();
  await operator.getByLabel("Your name").fill("Ann");
  await operator.getByLabel("Token").fill(`${TOKEN}?`);
  await operator.getByLabel("Token").press("Enter");
  await expect(operator.getByRole("alert")).toHaveText("This is not the operator's token.");
  await operator.getByLabel("Token").fill(TOKEN);
  await operator.getByRole("button", { name: "Open" }).click();

  await expect(operator.getByRole("heading", { level: 1, name: "Now" })).toBeVisible();
  await expect(region(operator, "Last refusals")).toContainText("user-per-minute");
  await expect(
    operator.getByRole("img", { name: /^Decisions over time: 3 admitted, 2 near, 1 refused$/ }),
  ).toBeVisible();
  const table = region(operator, "Decisions over time").getByText("Show as a table");
  await table.click();
  await expect(region(operator, "Decisions over time").getByRole("table")).toBeVisible();

  await go(operator, "Callers");
  await operator.getByLabel("Caller or request id").fill(id);
  await operator.getByLabel("Caller or request id").press("Enter");
  const why = region(operator, "Why this request was refused");
  await expect(why).toContainText(
    "The caller may use 5 requests a minute, and none were left. The wait was 60 s.",
  );
  await expect(operator.getByRole("row", { name: /^user-per-minute/ })).toContainText("0 of 5");
  const form = region(operator, "Other limits");
  await form.getByLabel("Limits").fill("lots");
  await form.getByRole("button", { name: "Set the limits" }).click();
  await expect(operator.getByRole("alert")).toContainText("lots");
  await form.getByLabel("Limits").fill("30/minute");
  await form.getByLabel("Why").fill("a demo");
  await form.getByRole("button", { name: "Set the limits" }).click();
  await expect(operator.getByRole("status").first()).toContainText("has other limits now.");
  await expect(operator.getByRole("row", { name: /^user-per-minute/ })).toContainText("25 of 30");

  // The notice keeps counting down in the browser, but a new message is admitted.
  await page.reload();
  await composer(page).fill("take-home on £53,000");
  await composer(page).press("Enter");
  await expect(answers(page)).toContainText("£53,000");
  await isIdle(page);

  await go(operator, "Log");
  const log = region(operator, "Actions");
  await expect(log.getByRole("row").nth(1)).toContainText(
    /other limits.*30\/minute.*11 Nov 2026.*a demo.*Ann \(token\)/,
  );
  await expect(region(operator, "In force")).toContainText("30/minute");

  await region(operator, "In force").getByRole("link").click();
  await operator.getByRole("button", { name: "End what is in force" }).click();
  await expect(operator.getByRole("status").first()).toContainText("has the usual limits again.");
  await go(operator, "Log");
  await expect(log.getByRole("row").nth(1)).toContainText(/ended.*Ann \(token\)/);
  await expect(region(operator, "In force")).toContainText("No caller is blocked");
  const download = operator.waitForEvent("download");
  await operator.getByRole("link", { name: "CSV" }).click();
  expect((await download).suggestedFilename()).toBe("limit-changes.csv");

  await time.service.advance(60_000);
  await go(operator, "Policy");
  await expect(region(operator, "chat")).toContainText("5/minute; 60/hour; 2 concurrent");
  await expect(region(operator, "chat")).toContainText("from the settings");
  await operator.getByRole("link", { name: "Change the policy of chat" }).click();
  const state = operator.locator("#policy-state");
  await expect(state).toHaveText("This is the policy in force.");
  const before = (await region(operator, "In force").locator("code").first().textContent()) ?? "";

  await operator
    .getByLabel("Policy as JSON")
    .fill('{\n  "layers": [{ "name": "user", "limits": "5/fortnight" }]\n}');
  await expect(state).toContainText("Line 2: layers[0].limits");
  await expect(state).toContainText("expected a window");
  await expect(operator.getByRole("button", { name: "Make live" })).toBeDisabled();
  await operator.getByRole("button", { name: "Go to line 2" }).click();
  await expect(operator.getByLabel("Policy as JSON")).toBeFocused();
  await operator.getByLabel("Policy as JSON").fill(
    JSON.stringify({
      layers: [
        { name: "user", limits: "3/minute; 60/hour; 2 concurrent" },
        { name: "ip", limits: "30/minute" },
      ],
    }),
  );
  await expect(state).toContainText("It would be policy");
  await operator.getByRole("button", { name: "Try on the log" }).click();
  // Five requests were admitted, one was refused, and one was admitted under the caller's other limits.
  await expect(region(operator, "On past traffic")).toContainText("7 requests of 1 caller, 10 Nov 2026");
  await expect(region(operator, "On past traffic")).toContainText(
    "2 requests of 1 caller would be newly refused (28.6%).",
  );
  await expect(operator.getByRole("row", { name: /^user-per-minute 3 2/ })).toBeVisible();

  await operator.getByRole("button", { name: "Start as a shadow" }).click();
  await expect(operator.getByRole("status").first()).toContainText(
    "is the shadow of chat: it refuses nobody.",
  );
  // A new caller sends four messages; the shadow would refuse the fourth.
  for (let n = 0; n < 4; n += 1) expect(await statusFor(page, "ben")).toBe(200);
  const shadow = region(operator, "Shadow");
  await expect(shadow.getByRole("row", { name: /^Refused only by this policy 0 1/ })).toBeVisible();

  await operator.getByLabel("Why make it live").fill("a quiet day");
  await operator.getByLabel("Why make it live").press("Enter");
  await expect(operator.getByRole("status").first()).toContainText("is in force for chat.");
  await expect(region(operator, "In force")).toContainText(
    "set by Ann (token) on 10 Nov 2026, 09:01: a quiet day",
  );
  await expect(shadow).toBeHidden();
  const live = (await region(operator, "In force").locator("code").first().textContent()) ?? "";
  expect(await statusFor(page, "ben")).toBe(429);

  await operator.getByLabel("Why roll back to the policy of the settings").fill("too few");
  await operator.getByRole("button", { name: "Roll back" }).click();
  await expect(operator.getByRole("status").first()).toContainText(`chat was rolled back to ${before}.`);
  await expect(region(operator, "In force")).toContainText("from the settings");
  expect(await statusFor(page, "ben")).toBe(200);

  await go(operator, "Log");
  for (const [place, said] of [
    [1, `policy rolled back.*chat.*${live} → ${before}.*too few.*Ann`],
    [2, `shadow ended.*${live} → none.*it is in force.*Ann`],
    [3, `policy made live.*chat.*${before} → ${live}.*a quiet day.*Ann`],
    [4, `shadow started.*chat.*none → ${live}.*Ann`],
    [5, "ended.*Ann"],
    [6, "other limits.*30/minute.*a demo.*Ann"],
  ] as const)
    await expect(log.getByRole("row").nth(place)).toContainText(new RegExp(said));

  await operator.getByRole("button", { name: "Sign out" }).click();
  await expect(operator.getByLabel("Token")).toBeVisible();
});

test.describe("a page that does not learn of a change", () => {
  // On a slow machine, the page may poll while its requests are blocked.
  test.use({ expected: [status(401), status(409), /net::ERR_FAILED .*\/api\/policies/] });

  test("makes the second of two operators see who changed the policy first, and keeps the typed text", async ({
    page,
    newVisitor,
  }) => {
    const second = await newVisitor({ reducedMotion: "reduce" });
    for (const [one, name] of [
      [page, "Ann"],
      [second, "Ben"],
    ] as const) {
      await one.goto("/operator#policy/chat");
      await one.getByLabel("Your name").fill(name);
      await one.getByLabel("Token").fill(TOKEN);
      await one.getByLabel("Token").press("Enter");
    }
    await typePolicy(page, 4);
    await typePolicy(second, 7);
    // The second operator's change starts from the policy in force before: its page does not learn of the first.
    await second.route("**/api/policies", (route) => route.abort());
    await page.getByLabel("Why make it live").fill("first");
    await page.getByRole("button", { name: "Make live" }).click();
    await expect(page.getByRole("status").first()).toContainText("is in force for chat.");
    await second.getByLabel("Why make it live").fill("second");
    await second.getByRole("button", { name: "Make live" }).click();
    await expect(second.getByText(/now in force, since Ann \(token\) changed it at 09:00 UTC/)).toBeVisible();
    await second.unroute("**/api/policies");
    await expect(second.getByLabel("Policy as JSON")).toHaveValue(/7\/minute/);
    await second.getByRole("button", { name: "Load the policy in force" }).click();
    await expect(second.getByLabel("Policy as JSON")).toHaveValue(/4\/minute/);
    await expect(second.getByLabel("Policy as JSON")).toBeFocused();
  });
});

test("all of the console can be used by keyboard", async ({ page }) => {
  await page.goto("/operator");
  await page.getByLabel("Your name").focus();
  await page.keyboard.type("Ben");
  await page.keyboard.press("Tab");
  await page.keyboard.type(TOKEN);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Now" })).toBeVisible();
  await page.getByRole("link", { name: "Callers" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Caller or request id").focus();
  await page.keyboard.type("user:ben");
  await page.keyboard.press("Enter");
  await region(page, "Block").getByLabel("Why").focus();
  await page.keyboard.type("a script");
  await page.keyboard.press("Tab");
  await expect(region(page, "Block").getByRole("button", { name: "Block" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").first()).toContainText("user:ben is blocked.");
  await expect(page.getByText("Every request is refused.")).toBeVisible();

  await page.getByRole("link", { name: "Policy" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Change the policy of chat" }).focus();
  await page.keyboard.press("Enter");
  await typePolicy(page, 4);
  await expect(page.locator("#policy-state")).toContainText("It would be policy");
  await page.getByLabel("Policy as JSON").focus();
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Past traffic")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Try on the log" })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").first()).toContainText("refuses nobody.");
  await page.getByLabel("Why make it live").focus();
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").first()).toContainText("is in force for chat.");
  await page.getByLabel("Why roll back to the policy of the settings").focus();
  await page.keyboard.type("again");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").first()).toContainText("was rolled back to");
});

test.describe("axe finds no violations in light and dark", () => {
  for (const [name, viewport] of [
    ["a desktop", { width: 1280, height: 860 }],
    ["a phone", { width: 390, height: 844 }],
  ] as const) {
    test(`on ${name}`, async ({ page }) => {
      await page.setViewportSize(viewport);
      await spend(page, 5);
      await page.request.post("/chat/message", { data: { messages: [{ role: "user", content: "hello" }] } });
      await page.goto("/operator");
      await expect(page.getByLabel("Token")).toBeVisible();
      await expectAccessible(page);
      await page.getByLabel("Token").fill(TOKEN);
      await page.getByLabel("Token").press("Enter");
      await expect(region(page, "Last refusals")).toContainText("user-per-minute");
      await page.getByRole("button", { name: "Pause" }).click();
      for (const unfold of await page.getByText("Show as a table").all()) await unfold.click();
      await expectAccessible(page);
      await page.goto("/operator#callers/user%3Aann");
      const form = region(page, "Other limits");
      await form.getByLabel("Limits").fill("30/minute");
      await form.getByRole("button", { name: "Set the limits" }).click();
      await expect(page.getByRole("status").first()).toContainText("has other limits now.");
      await expectAccessible(page);
      await go(page, "Log");
      await expect(region(page, "In force")).toContainText("user:ann");
      await expectAccessible(page);
      await go(page, "Policy");
      await expect(region(page, "chat")).toContainText("5/minute; 60/hour; 2 concurrent");
      await expectAccessible(page);
      await page.getByRole("link", { name: "Change the policy of chat" }).click();
      await page.getByLabel("Policy as JSON").fill("{");
      await expect(page.locator("#policy-state")).toContainText("Line 1");
      await expectAccessible(page);
      await page
        .getByLabel("Policy as JSON")
        .fill('{ "layers": [{ "name": "user", "limits": "60/minute; 3/hour" }] }');
      await expect(page.locator("#policy-state")).toContainText("can never bind");
      await page.getByRole("button", { name: "Try on the log" }).click();
      await expect(region(page, "On past traffic")).toContainText("would be newly refused");
      await page.getByRole("button", { name: "Start as a shadow" }).click();
      await page.getByLabel("Why make it live").fill("a test");
      await expect(region(page, "Shadow")).toBeVisible();
      await page.getByRole("button", { name: "Show its JSON" }).click();
      await expectAccessible(page);
    });
  }
});
