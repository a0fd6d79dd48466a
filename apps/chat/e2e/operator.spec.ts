import type { Page } from "@playwright/test";
import axe from "axe-core";
import { answers, composer, isIdle, notice, send, spend } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

const TOKEN = "a token of at least 32 characters";

test.use({
  variables: { OPERATOR_TOKEN: TOKEN },
  expected: [status(429), status(401), status(422)],
  contextOptions: { reducedMotion: "reduce" },
});

/** Nothing to complain of; in the dark, nothing about colours, which is all that is different there. */
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
  // Nothing lies beyond the screen's edge.
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(beyond).toBeLessThanOrEqual(0);
}

const region = (page: Page, name: string) => page.getByRole("region", { name, exact: true }).first();
const go = (page: Page, name: string) =>
  page.getByRole("navigation", { name: "Console" }).getByRole("link", { name }).click();

test("an operator's day: a refused person's id is explained, they pass until tomorrow, and the log says so", async ({
  page,
  newVisitor,
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
  const table = region(operator, "Decisions over time").getByText("The same as a table");
  await table.click();
  await expect(region(operator, "Decisions over time").getByRole("table")).toBeVisible();

  await go(operator, "Callers");
  await operator.getByLabel("Caller, or a request’s id").fill(id);
  await operator.getByLabel("Caller, or a request’s id").press("Enter");
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

  // The notice counts on in the browser; whoever sends anew is let in.
  await page.reload();
  await composer(page).fill("take-home on £53,000");
  await composer(page).press("Enter");
  await expect(answers(page)).toContainText("£53,000");
  await isIdle(page);

  await go(operator, "Log");
  const log = region(operator, "What was done");
  await expect(log.getByRole("row").nth(1)).toContainText(
    /other limits.*30\/minute.*11 Nov.*a demo.*Ann \(token\)/,
  );
  await expect(region(operator, "In force")).toContainText("30/minute");

  await region(operator, "In force").getByRole("link").click();
  await operator.getByRole("button", { name: "End what is in force" }).click();
  await expect(operator.getByRole("status").first()).toContainText("has the usual limits again.");
  await go(operator, "Log");
  await expect(log.getByRole("row").nth(1)).toContainText(/ended.*Ann \(token\)/);
  await expect(region(operator, "In force")).toContainText("Nobody is blocked");
  const download = operator.waitForEvent("download");
  await operator.getByRole("link", { name: "CSV" }).click();
  expect((await download).suggestedFilename()).toBe("limit-changes.csv");

  await go(operator, "Policy");
  await expect(region(operator, "chat")).toContainText("5/minute; 60/hour; 2 concurrent");

  await operator.getByRole("button", { name: "Sign out" }).click();
  await expect(operator.getByLabel("Token")).toBeVisible();
});

test("everything is reached by the keyboard", async ({ page }) => {
  await page.goto("/operator");
  await page.getByLabel("Your name").focus();
  await page.keyboard.type("Ben");
  await page.keyboard.press("Tab");
  await page.keyboard.type(TOKEN);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Now" })).toBeVisible();
  await page.getByRole("link", { name: "Callers" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Caller, or a request’s id").focus();
  await page.keyboard.type("user:ben");
  await page.keyboard.press("Enter");
  await region(page, "Block").getByLabel("Why").focus();
  await page.keyboard.type("a script");
  await page.keyboard.press("Tab");
  await expect(region(page, "Block").getByRole("button", { name: "Block" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").first()).toContainText("user:ben is blocked.");
  await expect(page.getByText("Every request is refused.")).toBeVisible();
});

test.describe("axe finds nothing, in light and dark", () => {
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
      for (const unfold of await page.getByText("The same as a table").all()) await unfold.click();
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
    });
  }
});
