import { answers, ask, composer, conversations, questions, send, stopButton } from "./chat-page.ts";
import { expect, test } from "./fixtures.ts";

test("each conversation's draft survives a reload", async ({ page }) => {
  await page.goto("/");
  await composer(page).fill("of a new chat");
  await page.reload();
  await expect(composer(page)).toHaveValue("of a new chat");

  await ask(page, "take-home on £30,000");
  await composer(page).fill("of this conversation");
  await page.getByRole("link", { name: "New chat" }).click();
  await expect(answers(page)).toHaveCount(0);
  await expect(composer(page)).toHaveValue("");
  await composer(page).fill("of another chat");
  await page.reload();
  await expect(composer(page)).toHaveValue("of another chat");
  await conversations(page).getByRole("link").click();
  await expect(composer(page)).toHaveValue("of this conversation");
});

test("a draft that is sent in one tab disappears in other tabs, unless it was changed there", async ({
  page,
  context,
}) => {
  await page.goto("/");
  await composer(page).fill("take-home on £30,000");
  const [same, changed] = [await context.newPage(), await context.newPage()];
  for (const tab of [same, changed]) {
    await tab.goto("/");
    await expect(composer(tab)).toHaveValue("take-home on £30,000");
  }
  await composer(changed).fill("take-home on £40,000");
  await composer(page).press("Enter");
  await expect(answers(page)).toContainText("£30,000");
  await expect(composer(same)).toHaveValue("");
  await expect(composer(changed)).toHaveValue("take-home on £40,000");
});

test.describe("with a slow model", () => {
  test.use({ answeredBy: "model server" });

  test("a message that is being sent when the page is closed is not lost", async ({ page, modelServer }) => {
    modelServer.setMode("never");
    await page.goto("/");
    const asked = modelServer.nextRequest();
    await send(page, "take-home on £52,000");
    await asked;
    await page.goto("about:blank");
    modelServer.setMode("normal");
    await page.goto("/");
    await expect(composer(page)).toHaveValue("take-home on £52,000");
    await composer(page).press("Enter");
    await expect(answers(page)).toContainText("three quarters");
    await expect(questions(page)).toHaveText("take-home on £52,000");
  });

  test("text typed during an answer is kept for the next message", async ({ page, modelServer }) => {
    modelServer.setMode("slow");
    await page.goto("/");
    await send(page, "take-home on £52,000");
    modelServer.release(2);
    await expect(answers(page)).toContainText("On £45,000");
    await composer(page).fill("and in Scotland?");
    await composer(page).press("Enter");
    await expect(questions(page)).toHaveCount(1);
    await expect(composer(page)).toHaveValue("and in Scotland?");
    modelServer.release(Number.POSITIVE_INFINITY);
    await expect(answers(page)).toContainText("deductions");
    // The last words are shown a moment before the answer ends.
    await expect(stopButton(page)).toBeHidden();
    await expect(composer(page)).toHaveValue("and in Scotland?");
    await composer(page).press("Enter");
    await expect(questions(page)).toHaveCount(2);
  });
});
