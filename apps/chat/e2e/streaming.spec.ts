import {
  answers,
  composer,
  conversations,
  holdBack,
  isIdle,
  questions,
  send,
  stopButton,
  thread,
} from "./chat-page.ts";
import { expect, test } from "./fixtures.ts";

test.use({ answeredBy: "model server" });

test.beforeEach(async ({ page, modelServer }) => {
  modelServer.setMode("slow");
  modelServer.setText("one two three four five six seven eight");
  await page.goto("/");
});

test("the answer grows word by word", async ({ page, modelServer }) => {
  await send(page, "count to eight");
  await expect(page.getByRole("img", { name: "Working on an answer" })).toBeVisible();
  await expect(stopButton(page)).toBeVisible();

  modelServer.release(2);
  await expect(answers(page)).toContainText("one two");
  await expect(answers(page)).not.toContainText("three");
  await expect(answers(page)).toHaveAttribute("aria-busy", "true");
  await expect(page.getByRole("img", { name: "Working on an answer" })).toBeHidden();

  modelServer.release(3);
  await expect(answers(page)).toContainText("one two three four five");
  modelServer.release(Number.POSITIVE_INFINITY);
  await isIdle(page);
  await expect(answers(page)).toContainText("one two three four five six seven eight");
  await expect(answers(page)).toHaveAttribute("aria-busy", "false");
  await expect(answers(page)).toContainText("test-model");
});

test("Stop keeps the received part, on the page and on the server, and Continue continues the answer", async ({
  page,
  modelServer,
}) => {
  await send(page, "count to eight");
  modelServer.release(3);
  await expect(answers(page)).toContainText("one two three");
  await stopButton(page).click();
  await isIdle(page);
  await expect(answers(page)).toContainText("one two three");
  await expect(answers(page)).toContainText("Stopped before the end");
  await expect(composer(page)).toBeFocused();
  await expect.poll(() => modelServer.requests[0]?.aborted).toBe(true);

  await page.reload();
  await expect(answers(page)).toContainText("one two three");
  await expect(answers(page)).toContainText("Stopped before the end");

  modelServer.setMode("normal");
  modelServer.setText("four five");
  await answers(page).getByRole("button", { name: "Continue" }).click();
  await expect(answers(page)).toHaveCount(2);
  await isIdle(page);
  await expect(answers(page).last()).toContainText("four five");
  await expect(answers(page).first()).toContainText("one two three");
});

test("Escape stops too, and a stop before the first word keeps the question", async ({
  page,
  modelServer,
}) => {
  const asked = modelServer.nextRequest();
  await send(page, "count to eight");
  await asked;
  await expect(page.getByRole("img", { name: "Working on an answer" })).toBeVisible();
  await page.keyboard.press("Escape");
  await isIdle(page);

  modelServer.setMode("normal");
  // The text is not lost: it is in the composer again, or in the thread.
  const inComposer = (await composer(page).inputValue()) === "count to eight";
  if (inComposer) await composer(page).press("Enter");
  else await page.getByRole("button", { name: "Answer it" }).click();
  await expect(answers(page)).toContainText("seven eight");
  await isIdle(page);
  await page.reload();
  await expect(answers(page)).toHaveCount(1);
  await expect(questions(page)).toHaveText(["count to eight"]);
});

test("an answer continues after a reload, and can be stopped then", async ({ page, modelServer }) => {
  await send(page, "count to eight");
  modelServer.release(2);
  await expect(answers(page)).toContainText("one two");
  await page.reload();
  await expect(answers(page)).toContainText("one two");
  await expect(answers(page)).toHaveAttribute("aria-busy", "true");
  modelServer.release(2);
  await expect(answers(page)).toContainText("one two three four");
  await stopButton(page).click();
  await isIdle(page);
  await expect(answers(page)).toContainText("Stopped before the end");
  await expect.poll(() => modelServer.requests[0]?.aborted).toBe(true);
  await page.reload();
  await expect(answers(page)).toHaveCount(1);
  await expect(answers(page)).toContainText("one two three four");
  await expect(questions(page)).toHaveText(["count to eight"]);
  expect(modelServer.requests.filter(({ body }) => body.stream)).toHaveLength(1);
});

test("an answer that ended while its page was closed is shown when the page is opened again", async ({
  page,
  modelServer,
}) => {
  await send(page, "count to eight");
  modelServer.release(2);
  await expect(answers(page)).toContainText("one two");
  const address = page.url();
  await page.goto("about:blank");
  modelServer.release(Number.POSITIVE_INFINITY);
  await page.goto(address);
  await expect(answers(page)).toContainText("one two three four five six seven eight");
  await expect(answers(page)).toHaveAttribute("aria-busy", "false");
  await expect(answers(page)).toHaveCount(1);
});

test("Answer again replaces the old answer", async ({ page, modelServer }) => {
  modelServer.setMode("normal");
  modelServer.setText("the first answer");
  await send(page, "tell me");
  await expect(answers(page)).toContainText("the first answer");
  await isIdle(page);
  modelServer.setText("the second answer");
  await answers(page).getByRole("button", { name: "Answer again" }).click();
  await expect(answers(page)).toContainText("the second answer");
  await isIdle(page);
  await page.reload();
  await expect(answers(page)).toContainText("the second answer");
  await expect(answers(page)).toHaveCount(1);
  await expect(questions(page)).toHaveCount(1);
});

test("an edited question replaces the old question and everything after it", async ({
  page,
  modelServer,
}) => {
  modelServer.setMode("normal");
  for (const question of ["first question", "second question"]) {
    await send(page, question);
    await expect(questions(page).last()).toHaveText(question);
    await expect(answers(page).last()).toContainText("eight");
    await isIdle(page);
  }
  await composer(page).fill("a draft to be kept");
  await questions(page).first().hover();
  await questions(page).first().getByRole("button", { name: "Edit question" }).click();
  await expect(page.getByText("Editing your question. Everything after it will be replaced.")).toBeVisible();
  await expect(composer(page)).toHaveValue("first question");
  await expect(composer(page)).toBeFocused();

  // Esc ends the edit and brings the draft back; a second edit is sent.
  await page.keyboard.press("Escape");
  await expect(composer(page)).toHaveValue("a draft to be kept");
  await questions(page).first().hover();
  await questions(page).first().getByRole("button", { name: "Edit question" }).click();
  modelServer.setText("answer to the edited one");
  await send(page, "first question, edited");
  await expect(questions(page)).toHaveText(["first question, edited"]);
  await expect(answers(page)).toContainText("answer to the edited one");
  await isIdle(page);
  await expect(composer(page)).toHaveValue("a draft to be kept");

  await page.reload();
  await expect(questions(page)).toHaveText(["first question, edited"]);
  await expect(answers(page)).toHaveCount(1);
});

test("an answer continues while another conversation is shown", async ({ page, modelServer }) => {
  await send(page, "count to eight");
  modelServer.release(2);
  await expect(answers(page)).toContainText("one two");
  await page.getByRole("link", { name: "New chat" }).click();
  await expect(answers(page)).toHaveCount(0);
  modelServer.release(Number.POSITIVE_INFINITY);
  await conversations(page).getByRole("link").click();
  await expect(answers(page)).toContainText("seven eight");
  await isIdle(page);
});

test("the thread stays scrolled to its end only while the reader is there", async ({ page, modelServer }) => {
  const lines = Array.from({ length: 80 }, (_, line) => `line ${line}`).join("\n\n");
  modelServer.setText(`${lines}\n\nthe end`);
  await send(page, "a long one");
  modelServer.release(140);
  await expect(answers(page)).toContainText("line 69");
  await expect(answers(page).getByText("line 69")).toBeInViewport();

  await thread(page).hover();
  await page.mouse.wheel(0, -2000);
  const jump = page.getByRole("button", { name: "Jump to latest" });
  await expect(jump).toBeVisible();
  // The button must not cover the text.
  const [button, region] = [await jump.boundingBox(), await thread(page).boundingBox()];
  expect(button?.y).toBeGreaterThanOrEqual((region?.y ?? 0) + (region?.height ?? 0));
  const top = await thread(page).evaluate((element) => element.scrollTop);
  modelServer.release(Number.POSITIVE_INFINITY);
  await isIdle(page);
  await expect(answers(page)).toContainText("the end");
  expect(await thread(page).evaluate((element) => element.scrollTop)).toBe(top);

  await page.getByRole("button", { name: "Jump to latest" }).click();
  await expect(answers(page).getByText("the end")).toBeInViewport();
});

test("paragraphs do not move if the code for Markdown loads late", async ({ page, modelServer }) => {
  const loadMarkdown = await holdBack(page, "**/assets/markdown-*.js");
  await page.reload();
  const lines = Array.from({ length: 80 }, (_, line) => `line ${line}`).join("\n\n");
  modelServer.setMode("normal");
  modelServer.setText(`${lines}\n\n**the end**`);
  await send(page, "a long one");
  await isIdle(page);
  await expect(answers(page)).toContainText("**the end**");
  await thread(page).hover();
  await page.mouse.wheel(0, -1000);
  await expect(page.getByRole("button", { name: "Jump to latest" })).toBeVisible();
  const line = answers(page).getByText("line 60", { exact: true });
  const before = await line.boundingBox();
  expect(before).not.toBeNull();

  loadMarkdown();
  await expect(answers(page).locator("strong")).toHaveText("the end");
  expect(await line.boundingBox()).toEqual(before);
});
