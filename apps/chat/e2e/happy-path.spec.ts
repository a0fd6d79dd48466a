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
  // Calculated by hand: 8% of £45,000 - £12,570; 9% of £45,000 - £29,385; Scottish bands of 2026/27.
  await expect(card).toContainText("National Insurance£2,594.40");
  await expect(card).toContainText("Student loan£1,405.35");
  await expect(card).toContainText("Income tax£6,882.05");
  await expect(answers(page)).toContainText("On £45,000 you take home £34,118.20 a year");
  await expect(answers(page)).toContainText("Worked out take-home pay");
  await expect(composer(page)).toHaveValue("");
  await expect(composer(page)).toBeFocused();

  const title = "Take-home on £45,000 in Scotland with Plan 2";
  await expect(page).toHaveURL(/\/c\/[\w-]+$/);
  await expect(conversations(page).getByRole("link")).toHaveText(title);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  await expect(page).toHaveTitle(`${title} · Headgate`);

  await page.reload();
  await expect(answers(page)).toContainText("you take home £34,118.20 a year");
  await expect(card).toBeVisible();
});

test("the controls of a card update its figures", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £45k in Scotland with plan 2");
  const card = answers(page).getByRole("region", { name: "Take-home pay on £45,000" });
  await card.getByLabel("Lives in").selectOption("England");
  await card.getByLabel("Student loan").selectOption("None");
  await expect(card).toContainText("£35,919.60 a year");
  await card.getByLabel("Pension, %").fill("5");
  await expect(card).toContainText("£34,299.60 a year");
  await card.getByLabel("Pension by").selectOption("Relief at source");
  await expect(card).toContainText("£34,119.60 a year");
  await card.getByLabel("Shown").selectOption("a month");
  await expect(card).toContainText("£2,843.30 a month");
  await expect(questions(page)).toHaveCount(1);
  await card.getByRole("button", { name: "Back to the answer" }).click();
  await expect(card).toContainText("£34,118.20 a year");
  await expect(card.getByLabel("Pension, %")).toHaveValue("0");
});

test("a tax code typed into a card updates its figures, and an unknown code gets an explanation", async ({
  page,
}) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  const card = answers(page).getByRole("region", { name: "Take-home pay on £30,000" });
  const code = card.getByLabel("Tax code");
  await expect(code).toHaveValue("1257L");
  await code.fill("br");
  // 20% of £30,000, and 8% of £30,000 - £12,570.
  await expect(card).toContainText("£22,605.60 a year");
  await code.fill("D2");
  await code.press("Tab");
  await expect(card).toContainText("D2 is a tax code of Scotland: write SD2. The figures are those of BR.");
  await expect(code).toHaveAttribute("aria-invalid", "true");
  await code.fill("SD2");
  await expect(card.getByLabel("Lives in")).toHaveValue("Scotland");
  // 45% of £30,000.
  await expect(card).toContainText("£15,105.60 a year");
  await expect(card).not.toContainText("write SD2");
  await card.getByRole("button", { name: "Back to the answer" }).click();
  await expect(code).toHaveValue("1257L");
  await expect(card).toContainText("£25,119.60 a year");
  await expect(questions(page)).toHaveCount(1);
});

test("a follow-up button asks about the same pay", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £45,000");
  await page
    .getByRole("list", { name: "Follow-up questions" })
    .getByRole("button", { name: "And in Scotland?" })
    .click();
  await expect(questions(page)).toHaveText(["take-home on £45,000", "And in Scotland?"]);
  await expect(answers(page).last()).toContainText("£35,523.55");
  await expect(page.getByRole("list", { name: "Follow-up questions" })).toHaveCount(1);
});

test("an example asks its question, and a follow-up refers to it", async ({ page }) => {
  await page.goto("/");
  await page
    .getByRole("list", { name: "Examples" })
    .getByRole("button", { name: "Personal allowance" })
    .click();
  await expect(questions(page)).toHaveText("What is the personal allowance on £110k?");
  // The allowance shrinks by £1 for every £2 above £100,000: £12,570 - £5,000.
  await expect(answers(page)).toContainText("£7,570");

  await ask(page, "what about 130k?");
  await expect(answers(page).last()).toContainText("£130,000");
  await expect(answers(page).last()).toContainText("£0");
});

test("a comparison is shown as a table", async ({ page }) => {
  await page.goto("/");
  await ask(page, "Compare £50,000 and £60,000");
  const table = answers(page).getByRole("table", { name: "Comparison of £50,000, £60,000" });
  await expect(table.getByRole("columnheader")).toHaveText([/£50,000/, /£60,000/]);
  await expect(table.getByRole("row", { name: /^Take-home a year/ })).toBeVisible();
});

test("a range is shown as a chart, with its figures as a table", async ({ page }) => {
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

test("a step of an answer shows its input and output", async ({ page }) => {
  await page.goto("/");
  await ask(page, "marginal rate at 120k");
  const step = answers(page).locator("details[data-tool=take_home]");
  await step.getByText("Worked out take-home pay").click();
  await expect(step).toContainText("Went in");
  await expect(step).toContainText("120000");
  await expect(step).toContainText("Came out");
});

test("a question that the responder does not understand is answered as such", async ({ page }) => {
  await page.goto("/");
  await ask(page, "what is the VAT on a bicycle");
  await expect(answers(page)).toContainText("I can't work out");
});
