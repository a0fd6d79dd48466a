import type { Page } from "@playwright/test";
import axe from "axe-core";
import {
  accountButton,
  answers,
  ask,
  blockMessages,
  conversations,
  isIdle,
  newEmail,
  notice,
  paywall,
  send,
  signUp,
  spend,
} from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

// Turn motion off, so that colours are measured after transitions.
test.use({ contextOptions: { reducedMotion: "reduce" } });

/** Waits until animations have ended. */
async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBe(0);
}

/** Checks with axe that there are no violations. In the dark theme, only colours are checked, because nothing else differs. */
async function expectAccessible(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: "light" });
  await expectNoViolations(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectNoViolations(page, ["color-contrast"]);
}

async function expectNoViolations(page: Page, rules?: string[]): Promise<void> {
  await settled(page);
  // axe is half a megabyte, so add it once per document.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found = await page.evaluate(async (rules) => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, {
      resultTypes: ["violations"],
      ...(rules && { runOnly: rules }),
    });
    return violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
    }));
  }, rules);
  expect(found).toEqual([]);
}

test("the empty page, the account's menu and the list of shortcuts have no violations", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByText("Answered by the built-in calculator")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("searchbox", { name: "Search conversations" }).fill("nothing like it");
  await expect(page.getByText("No conversation mentions “nothing like it”.")).toBeVisible();
  await expectAccessible(page);
  await accountButton(page).click();
  await expect(page.getByRole("menu")).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+/");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await expectAccessible(page);
});

test("a conversation with a card, a comparison and a chart, all unfolded, has no violations", async ({
  page,
}) => {
  await page.goto("/");
  await ask(page, "take-home on £45k in Scotland with plan 2");
  await ask(page, "Compare £50,000 and £60,000");
  await ask(page, "chart take-home from 20k to 60k");
  await expect(answers(page).getByRole("img", { name: /^Take-home pay and deductions/ })).toBeVisible();
  await expectAccessible(page);
  await page.evaluate(() => {
    for (const element of document.querySelectorAll("details")) element.open = true;
  });
  await expectAccessible(page);
});

test("a conversation's menu, renaming, and dialogs have no violations", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  const options = conversations(page).getByRole("button", { name: /^Options for/ });
  await options.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menu")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await expect(page.getByRole("textbox", { name: "Name of the conversation" })).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Share", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "Share this conversation" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create link" }).click();
  await expect(page.getByRole("dialog", { name: "This conversation is shared" })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  await options.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("alertdialog")).toBeVisible();
  await expectAccessible(page);
});

test("a shared page, and a page that is no longer shared, have no violations", async ({
  page,
  newVisitor,
}) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  const id = new URL(page.url()).pathname.split("/").at(-1);
  const { sharePath } = await (await page.request.post(`/conversations/${id}/share`)).json();
  const reader = await newVisitor({ reducedMotion: "reduce" });
  await reader.goto(sharePath);
  await expect(answers(reader)).toContainText("£30,000");
  await expectAccessible(reader);
});

test("the pages to sign in and up have no violations, also with errors", async ({ page }) => {
  for (const path of ["/sign-in", "/sign-up"]) {
    await page.goto(path);
    await expect(page.getByLabel("E-mail")).toBeVisible();
    await expectAccessible(page);
    await page.getByLabel("E-mail").press("Enter");
    await expect(page.getByRole("main").getByText("Please enter your e-mail address")).toBeVisible();
    await expectAccessible(page);
  }
});

test("the account page, and the pages to reset a password, have no violations", async ({ page }) => {
  await page.goto("/account");
  await expect(page.getByRole("heading", { name: "You are not signed in." })).toBeVisible();
  await expectAccessible(page);
  await page.goto("/reset-password#x");
  await expect(page.getByLabel("New password")).toBeVisible();
  await expectAccessible(page);
  await signUp(page, newEmail());
  await page.goto("/account");
  await expect(page.getByText("since").first()).toBeVisible();
  await page.getByRole("button", { name: "Delete the account …" }).click();
  await expectAccessible(page);
});

test.describe("notices in place of an answer", () => {
  test.use({
    answeredBy: "model server",
    // The smallest allowance, which the first answer spends.
    variables: { CREDIT_MONTHLY_ALLOWANCE: "0.000001" },
    expected: [status(403), status(429), status(402), status(502), status(503), status(404)],
  });

  test("the notice and the meter have no violations", async ({ page, time }) => {
    await spend(page, 5);
    await page.goto("/");
    await send(page, "take-home on £52,000");
    await expect(notice(page)).toBeVisible();
    await expectAccessible(page);
    await time.pass(page, 60);
    await expect(notice(page)).toContainText("You can send again now.");
    await expectAccessible(page);
  });

  test("the paywall has no violations", async ({ page }) => {
    await signUp(page, newEmail());
    await send(page, "take-home on £52,000");
    await expect(paywall(page)).toBeVisible();
    await expectAccessible(page);
  });

  test("a failed model, a stopped answer, and a question during an edit have no violations", async ({
    page,
    modelServer,
  }) => {
    modelServer.setMode("fail-500");
    await page.goto("/");
    await send(page, "take-home on £52,000");
    await expect(page.getByRole("group", { name: "The model did not answer." })).toBeVisible();
    await expectAccessible(page);
    modelServer.setMode("slow");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("img", { name: "Working on an answer" })).toBeVisible();
    await expectAccessible(page);
    modelServer.release(2);
    await expect(answers(page)).toContainText("On £45,000");
    await page.keyboard.press("Escape");
    await isIdle(page);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Edit question" }).click();
    await expect(page.getByText("Editing your question.")).toBeVisible();
    await expectAccessible(page);
  });

  test("the pages for a blocked caller and for an unknown address have no violations", async ({ page }) => {
    await blockMessages(page);
    await page.goto("/");
    await send(page, "take-home on £52,000");
    await expect(page.getByRole("group", { name: "You can't send messages here." })).toBeVisible();
    await expectAccessible(page);
    await page.goto("/nowhere/at/all");
    await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
    await expectAccessible(page);
  });

  test("the pages for a deleted conversation and for a removed link have no violations", async ({ page }) => {
    await page.goto(`/c/${crypto.randomUUID()}`);
    await expect(page.getByRole("heading", { name: "This conversation is gone." })).toBeVisible();
    await expectAccessible(page);
    await page.goto(`/share/${"x".repeat(43)}`);
    await expect(page.getByRole("heading", { name: "This link no longer works." })).toBeVisible();
    await expectAccessible(page);
  });
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test("the drawer, and a conversation with figures, have no violations", async ({ page }) => {
    await page.goto("/");
    await ask(page, "take-home on £45k in Scotland with plan 2");
    await ask(page, "Compare £50,000, £60,000 and £70,000");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Open the sidebar" }).tap();
    await expect(page.getByRole("dialog", { name: "Sidebar" })).toBeVisible();
    await expectAccessible(page);
  });
});
