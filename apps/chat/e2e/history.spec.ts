import type { Page } from "@playwright/test";
import { TEST_START_MS } from "../testing/service.ts";
import { answers, ask, composer, conversations, isIdle, questions, send } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, type Time, test } from "./fixtures.ts";

const dayMs = 86_400_000;

/** Creates an empty conversation that is some days old, in this browser's history. */
async function conversationOf(page: Page, time: Time, daysAgo: number, title: string): Promise<void> {
  time.service.set(TEST_START_MS - daysAgo * dayMs);
  const made = await page.request.post("/conversations", { data: { title } });
  expect(made.status()).toBe(201);
  time.service.set(TEST_START_MS);
}

async function choose(page: Page, title: string, action: string): Promise<void> {
  await conversations(page).getByRole("link", { name: title }).hover();
  await conversations(page)
    .getByRole("button", { name: `Options for ${title}` })
    .click();
  await page.getByRole("menuitem", { name: action }).click();
}

test("conversations are grouped by date, newest first", async ({ page, time }) => {
  await conversationOf(page, time, 400, "last year's");
  await conversationOf(page, time, 60, "in September");
  await conversationOf(page, time, 20, "some weeks ago");
  await conversationOf(page, time, 3, "some days ago");
  await conversationOf(page, time, 1, "yesterday's");
  await conversationOf(page, time, 0.1, "this morning's");
  await page.goto("/");
  await expect(conversations(page).getByRole("heading")).toHaveText([
    "Today",
    "Yesterday",
    "Previous 7 days",
    "Previous 30 days",
    "September",
    "October 2025",
  ]);
  await expect(conversations(page).getByRole("link")).toHaveText([
    "this morning's",
    "yesterday's",
    "some days ago",
    "some weeks ago",
    "in September",
    "last year's",
  ]);
  await expect(conversations(page).getByRole("region", { name: "Yesterday" }).getByRole("link")).toHaveText(
    "yesterday's",
  );
});

test("scrolling loads more conversations, each once", async ({ page, time }) => {
  const titles = Array.from({ length: 75 }, (_, index) => `conversation ${index + 1}`);
  for (const [index, title] of titles.entries()) await conversationOf(page, time, (index + 1) / 100, title);
  await page.goto("/");
  const links = conversations(page).getByRole("link");
  await expect(links).toHaveCount(30);
  await links.last().scrollIntoViewIfNeeded();
  await conversations(page).hover();
  await page.mouse.wheel(0, 4000);
  await expect(links).toHaveCount(60);
  await page.mouse.wheel(0, 4000);
  await expect(links).toHaveCount(75);
  await expect(links).toHaveText(titles);
});

test("a conversation is renamed in the list", async ({ page, time }) => {
  await conversationOf(page, time, 0.1, "old name");
  await page.goto("/");
  await choose(page, "old name", "Rename");
  const field = page.getByRole("textbox", { name: "Name of the conversation" });
  await expect(field).toBeFocused();
  await field.fill("never mind");
  await field.press("Escape");
  await expect(conversations(page).getByRole("link")).toHaveText("old name");

  await choose(page, "old name", "Rename");
  await field.fill("new name");
  await field.press("Enter");
  await expect(conversations(page).getByRole("link", { name: "new name" })).toBeFocused();
  await page.reload();
  await expect(conversations(page).getByRole("link")).toHaveText("new name");
});

test("a menu that a screen reader opens without focus does not take the focus from the title field", async ({
  page,
  time,
}) => {
  await conversationOf(page, time, 0.1, "old name");
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  await conversations(page).getByRole("button", { name: "Options for old name" }).dispatchEvent("click");
  await page.getByRole("menuitem", { name: "Rename" }).dispatchEvent("click");
  const field = page.getByRole("textbox", { name: "Name of the conversation" });
  await field.fill("new name");
  await expect(field).toBeFocused();
  await field.press("Enter");
  await expect(conversations(page).getByRole("link", { name: "new name" })).toBeFocused();
});

test("a conversation is deleted, but only after a confirmation", async ({ page }) => {
  test
    .info()
    .annotations.push({ type: "covers", description: "also the conversation that is on the screen" });
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  const title = "Take-home on £30,000";
  await expect(conversations(page).getByRole("link")).toHaveText(title);
  const id = new URL(page.url()).pathname.split("/").at(-1);

  await choose(page, title, "Delete");
  const dialog = page.getByRole("alertdialog", { name: "Delete this conversation?" });
  await expect(dialog).toContainText(title);
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await expect(answers(page)).toBeVisible();

  await choose(page, title, "Delete");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(page).toHaveURL("/");
  await expect(conversations(page).getByRole("link")).toHaveCount(0);
  await page.reload();
  await expect(conversations(page)).toContainText("Your conversations will appear here.");
  expect((await page.request.get(`/conversations/${id}`)).status()).toBe(404);
});

test.describe("somebody else's", () => {
  test.use({ expected: [status(404)] });

  test("conversation cannot be opened, even by its address", async ({ page, newVisitor }) => {
    await page.goto("/");
    await ask(page, "take-home on £30,000");
    const stranger = await newVisitor();
    await stranger.goto(page.url());
    await expect(stranger.getByRole("heading", { name: "This conversation is gone." })).toBeVisible();
    await expect(answers(stranger)).toHaveCount(0);
    await expect(stranger.getByText("£30,000")).toHaveCount(0);
  });
});

test("a search finds conversations by title and content", async ({ page, time }) => {
  await conversationOf(page, time, 3, "Moving to Leeds");
  await conversationOf(page, time, 2, "100% of it");
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  const links = conversations(page).getByRole("link");
  await expect(links).toHaveCount(3);
  const search = page.getByRole("searchbox", { name: "Search conversations" });

  await search.fill("leeds");
  await expect(links).toHaveText(["Moving to Leeds"]);
  // This text is in a message, but not in the title.
  await search.fill("25,119.60");
  await expect(links).toHaveText(["Take-home on £30,000"]);
  await search.fill("0% of");
  await expect(links).toHaveText(["100% of it"]);
  await search.fill("_eeds");
  await expect(conversations(page)).toContainText("No conversation mentions “_eeds”.");

  await search.fill("leeds");
  await choose(page, "Moving to Leeds", "Rename");
  const field = page.getByRole("textbox", { name: "Name of the conversation" });
  await field.fill("Moving to York");
  await field.press("Enter");
  await expect(links).toHaveText(["Moving to York"]);
  await search.press("Escape");
  await expect(search).toHaveValue("");
  await expect(links).toHaveText(["Take-home on £30,000", "100% of it", "Moving to York"]);
});

test("a title changes with an edited first question, unless a person chose it", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  const link = conversations(page).getByRole("link");
  await expect(link).toHaveText("Take-home on £30,000");
  const editTo = async (question: string) => {
    await questions(page).hover();
    await questions(page).getByRole("button", { name: "Edit question" }).click();
    await send(page, question);
    await expect(questions(page)).toHaveText([question]);
    await isIdle(page);
  };
  await editTo("take-home on £41,000");
  await expect(link).toHaveText("Take-home on £41,000");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Take-home on £41,000");

  await choose(page, "Take-home on £41,000", "Rename");
  const field = page.getByRole("textbox", { name: "Name of the conversation" });
  await field.fill("My new job");
  await field.press("Enter");
  await expect(link).toHaveText("My new job");
  await editTo("take-home on £52,000");
  await expect(answers(page)).toContainText("£52,000");
  await page.reload();
  await expect(link).toHaveText("My new job");
});

test("Back and Forward move between visited pages", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  await page.getByRole("link", { name: "New chat" }).click();
  await ask(page, "take-home on £40,000");
  await page.goBack();
  await expect(answers(page)).toContainText("£30,000");
  await page.goForward();
  await expect(answers(page)).toContainText("£40,000");
});
