import { answers, ask, composer, conversations, questions } from "./chat-page.ts";
import { expect, test } from "./fixtures.ts";

test("a question is answered with a computed number, and the conversation gets a title", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "What would you take home?" })).toBeVisible();
  await expect(conversations(page)).toContainText("Your conversations will appear here.");
  await expect(page.getByText("Answered by the built-in calculator, not an AI model.")).toBeVisible();

  await ask(page, "take-home on £45k in Scotland with plan 2");

  await expect(questions(page)).toHaveText("take-home on £45k in Scotland with plan 2");
  const card = answers(page).getByRole("region", { name: "Take-home pay on £45,000" });
  // By hand, thresholds by the week: 8% of £45,000 - 52 × £242; 9% of £45,000 - 52 × £547; Scottish bands of 2025/26.
  await expect(card).toContainText("National Insurance£2,593.28");
  await expect(card).toContainText("Student loan£1,490.04");
  await expect(card).toContainText("Income tax£6,913.57");
  await expect(answers(page)).toContainText("On £45,000 you take home £34,003.11 a year");
  await expect(answers(page)).toContainText("Worked out take-home pay");
  await expect(composer(page)).toHaveValue("");
  await expect(composer(page)).toBeFocused();

  const title = "Take-home on £45,000 in Scotland with Plan 2";
  await expect(page).toHaveURL(/\/c\/[\w-]+$/);
  await expect(conversations(page).getByRole("link")).toHaveText(title);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  await expect(page).toHaveTitle(`${title} · Headgate`);

  await page.reload();
  await expect(answers(page)).toContainText("you take home £34,003.11 a year");
  await expect(card).toBeVisible();
});

test("an example asks its question, and a follow-up builds on it", async ({ page }) => {
  await page.goto("/");
  await page
    .getByRole("list", { name: "Examples" })
    .getByRole("button", { name: "Personal allowance" })
    .click();
  await expect(questions(page)).toHaveText("What is the personal allowance on £110k?");
  // £1 is lost for every £2 above £100,000: £12,570 - £5,000.
  await expect(answers(page)).toContainText("£7,570");

  await ask(page, "what about 130k?");
  await expect(answers(page).last()).toContainText("£130,000");
  await expect(answers(page).last()).toContainText("£0");
});

test("a comparison is a table", async ({ page }) => {
  await page.goto("/");
  await ask(page, "Compare £50,000 and £60,000");
  const table = answers(page).getByRole("table", { name: "Comparison of £50,000, £60,000" });
  await expect(table.getByRole("columnheader")).toHaveText([/£50,000/, /£60,000/]);
  await expect(table.getByRole("row", { name: /^Take-home a year/ })).toBeVisible();
});

test("a range is a chart, with its figures as a table", async ({ page }) => {
  await page.goto("/");
  await ask(page, "chart take-home from 20k to 120k");
  const chart = answers(page).getByRole("img", { name: /^Take-home pay and deductions by salary/ });
  await expect(chart).toBeVisible();
  await expect(
    answers(page).getByRole("figure", { name: "Salaries from £20,000 to £120,000" }),
  ).toBeVisible();
  await answers(page).getByText("Show as a table").click();
  const table = answers(page).getByRole("table", { name: "Take-home pay and deductions by salary" });
  await expect(table.getByRole("rowheader").first()).toHaveText("£20,000");
  await expect(table.getByRole("rowheader").last()).toHaveText("£120,000");
});

test("a step of an answer shows what went in and what came out", async ({ page }) => {
  await page.goto("/");
  await ask(page, "marginal rate at 120k");
  const step = answers(page).locator("details[data-tool=marginal_rate]");
  await step.getByText("Worked out the marginal rate").click();
  await expect(step).toContainText("Went in");
  await expect(step).toContainText("120,000");
  await expect(step).toContainText("Came out");
});

test("what the responder does not understand, it says", async ({ page }) => {
  await page.goto("/");
  await ask(page, "what is the VAT on a bicycle");
  await expect(answers(page)).toContainText("I can't work out");
});
