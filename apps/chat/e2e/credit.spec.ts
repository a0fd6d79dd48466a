import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runCreditCommand } from "../server/commands/credit.ts";
import {
  accountButton,
  answers,
  ask,
  composer,
  isIdle,
  newEmail,
  notice,
  paywall,
  questions,
  send,
  sendAgain,
  signUp,
} from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { test as base, expect } from "./fixtures.ts";

const price = { MODEL_PRICE_INPUT_PER_MTOK: "1", MODEL_PRICE_OUTPUT_PER_MTOK: "4" };

/** Tests with a database in a folder, so that the operator's command can find the service. */
const test = base.extend<{ folder: string; credit: (...words: string[]) => Promise<string> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the requested fixtures from the pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), "headgate-e2e-"));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
  // With a price, the calculator needs credit, as in the README's example.
  variables: async ({ folder }, use) => use({ DATABASE_URL: `pglite://${folder}`, ...price }),
  credit: async ({ variables }, use) => use((...words) => runCreditCommand(words, variables)),
});

test.use({ expected: [status(402), status(404)] });

test("without credit, a person sees the paywall, keeps the message, and can continue once there is credit", async ({
  page,
  credit,
}) => {
  // Creating a database in a folder is slow on a busy machine.
  test.slow();
  const email = newEmail();
  await signUp(page, email);
  await expect(accountButton(page)).toContainText("£1.00 credit left");
  expect(await credit("set", email, "0")).toContain(`${email} has 0.00 GBP.`);

  await send(page, "take-home on £52,000");
  await expect(paywall(page)).toBeVisible();
  await expect(paywall(page)).toContainText("Balance£0.00");
  await expect(paywall(page)).toContainText("Monthly allowance£1.00");
  await expect(paywall(page)).toContainText("1 December 2026");
  await expect(notice(page)).toBeHidden();
  await expect(page.getByText("a bit fast")).toHaveCount(0);

  await expect(paywall(page)).toContainText(
    `ask the person who runs this service for more credit for ${email}, or for a code.`,
  );
  await expect(paywall(page)).not.toContainText("npm");
  await paywall(page).getByRole("button", { name: "Back to my message" }).click();
  await expect(paywall(page)).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("take-home on £52,000");
  await expect(questions(page)).toHaveCount(0);

  // The draft survives a reload, and a second credit refusal opens the paywall again.
  await page.reload();
  await expect(composer(page)).toHaveValue("take-home on £52,000");
  await composer(page).press("Enter");
  await expect(paywall(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(paywall(page)).toBeHidden();

  // A 402 is not charged to the rate limit.
  const me = await (await page.request.get("/me")).json();
  expect(me.quota.find(({ name }: { name: string }) => name === "user-per-minute").remaining).toBe(5);

  await credit("grant", email, "5.00");
  await composer(page).press("Enter");
  await expect(answers(page)).toContainText("£52,000");
  await isIdle(page);
  await expect(composer(page)).toHaveValue("");
  await expect(accountButton(page)).toContainText("£4.9");
});

test("a code from the operator leads from the paywall back to the same message", async ({ page, credit }) => {
  test.slow();
  const email = newEmail();
  await signUp(page, email);
  await credit("set", email, "0");
  const [code = ""] = (await credit("code", "5.00", "30")).split("\n");

  await send(page, "take-home on £52,000");
  const field = paywall(page).getByRole("textbox", { name: "Code for more credit" });
  await field.fill("no such code");
  await field.press("Enter");
  await expect(paywall(page)).toContainText("There is no such code.");
  await expect(field).toBeFocused();

  await field.fill(code.toLowerCase());
  await field.press("Enter");
  const dialog = page.getByRole("dialog", { name: "You have credit again" });
  await expect(dialog).toContainText("Balance£5.00");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("take-home on £52,000");
  await composer(page).press("Enter");
  await expect(answers(page)).toContainText("£52,000");
});

base.describe("with little quota and little credit", () => {
  base.use({
    expected: [status(402), status(429)],
    // The allowance is enough for the first chunk of one answer.
    variables: { ...price, CREDIT_MONTHLY_ALLOWANCE: "0.00085", RATE_LIMIT_CHAT_PER_MIN: "1" },
  });

  base("a refusal for speed and a refusal for credit are shown separately", async ({ page, time }) => {
    await signUp(page, newEmail());
    await ask(page, "take-home on £51,000");
    await send(page, "take-home on £52,000");
    await expect(notice(page)).toBeVisible();
    await expect(paywall(page)).toBeHidden();

    await time.pass(page, 60);
    await sendAgain(page).click();
    await expect(paywall(page)).toBeVisible();
    await expect(paywall(page)).toContainText("Your credit is too low for this message");
    await expect(notice(page)).toBeHidden();
    await paywall(page).getByRole("button", { name: "Back to my message" }).click();
    await expect(composer(page)).toHaveValue("take-home on £52,000");
  });
});

base("the built-in calculator is free: it needs no credit, and the page shows none", async ({ page }) => {
  await signUp(page, newEmail());
  await ask(page, "take-home on £51,000");
  await expect(answers(page)).toContainText("£51,000");
  await expect(accountButton(page)).not.toContainText("credit");
  expect((await (await page.request.get("/me")).json()).credit).toBeNull();
});
