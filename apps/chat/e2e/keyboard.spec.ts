import {
  answers,
  composer,
  isIdle,
  listenToAnnouncements,
  notice,
  questions,
  secondsToWait,
  send,
  sendAgain,
  spend,
  thread,
} from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

test("a conversation works without a mouse: asking, sharing and starting a new chat", async ({ page }) => {
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  const said = await listenToAnnouncements(page);
  await page.keyboard.type("take-home on £30,000");
  await page.keyboard.press("Enter");
  await expect(answers(page)).toContainText("£30,000");
  await isIdle(page);
  await expect(composer(page)).toBeFocused();
  await expect
    .poll(said)
    .toEqual(["Answering.", expect.stringMatching(/^Answer: On £30,000 you take home £/)]);

  // The thread can be focused and scrolled, and the answer's buttons appear on focus.
  const again = answers(page).getByRole("button", { name: "Answer again" });
  await again.focus();
  await expect(again.locator("..")).toHaveCSS("opacity", "1");

  const share = page.getByRole("button", { name: "Share", exact: true });
  await share.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  // The focus wraps within the dialog.
  for (let press = 1; press <= 4; press += 1) {
    await page.keyboard.press("Tab");
    await expect(dialog.locator(":focus")).toHaveCount(1);
  }
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(share).toBeFocused();

  await page.keyboard.press("Control+Shift+O");
  await expect(page).toHaveURL("/");
  await expect(composer(page)).toBeFocused();
  await expect(answers(page)).toHaveCount(0);
});

test.describe("over the limit", () => {
  test.use({ expected: [status(429)] });

  test("a person can use the notice without a mouse", async ({ page, time }) => {
    await spend(page, 5);
    await page.goto("/");
    await expect(composer(page)).toBeFocused();
    const said = await listenToAnnouncements(page);
    await page.keyboard.type("take-home on £52,000");
    await page.keyboard.press("Enter");
    await expect(notice(page)).toBeVisible();
    await expect(composer(page)).toBeFocused();
    await time.stop(page);
    const seconds = await secondsToWait(page);

    await page.keyboard.press("Shift+Tab");
    await expect(sendAgain(page)).toBeFocused();
    await expect(sendAgain(page)).toHaveAccessibleDescription(/Please wait/);
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await said()).at(-1)).toBe(`You can send again in ${seconds} seconds.`);

    await time.run(page, seconds);
    await expect(sendAgain(page)).toBeFocused();
    await expect(sendAgain(page)).toHaveAccessibleDescription(/You can send again now\./);
    await page.clock.resume();
    await page.keyboard.press("Enter");
    await expect(answers(page)).toContainText("£52,000");
    await isIdle(page);
    await expect(composer(page)).toBeFocused();
  });
});

test("Enter sends, Shift+Enter makes a new line, and blanks are not sent", async ({ page }) => {
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type("   ");
  await page.keyboard.press("Enter");
  await expect(questions(page)).toHaveCount(0);
  await composer(page).fill("");
  await page.keyboard.type("take-home on £30,000");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("in Scotland");
  await expect(composer(page)).toHaveValue("take-home on £30,000\nin Scotland");
  await expect(questions(page)).toHaveCount(0);
  await page.keyboard.press("Enter");
  await expect(questions(page)).toHaveText("take-home on £30,000\nin Scotland");
  await expect(answers(page)).toContainText("Scotland");
});

test("the Enter that ends the composition of a character does not send", async ({ page }) => {
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  const keyboard = await page.context().newCDPSession(page);
  await keyboard.send("Input.imeSetComposition", { text: "ぜい", selectionStart: 2, selectionEnd: 2 });
  await expect(composer(page)).toHaveValue("ぜい");
  await page.evaluate(() => {
    document.addEventListener(
      "keydown",
      (event) => Object.assign(window, { wasComposing: event.isComposing }),
      {
        once: true,
        capture: true,
      },
    );
  });
  // The input method handles the key, so it types no character.
  const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
  await keyboard.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter });
  await keyboard.send("Input.dispatchKeyEvent", { type: "keyUp", ...enter });
  expect(await page.evaluate(() => (window as unknown as { wasComposing: boolean }).wasComposing)).toBe(true);
  await keyboard.send("Input.insertText", { text: "税" });
  await expect(composer(page)).toHaveValue("税");
  await expect(questions(page)).toHaveCount(0);

  // In Safari the composition has already ended, and only the key code shows that this Enter ended it.
  await composer(page).dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  await expect(composer(page)).toHaveValue("税");
  await expect(questions(page)).toHaveCount(0);

  await page.keyboard.press("Enter");
  await expect(questions(page)).toHaveText("税");
});

test.describe("without a focused element", () => {
  test.use({ expected: [status(404)] });

  test("the first Tab offers to skip to the conversation", async ({ page }) => {
    await page.goto(`/c/${crypto.randomUUID()}`);
    await expect(page.getByRole("heading", { name: "This conversation is gone." })).toBeVisible();
    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to the conversation" });
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("main")).toBeFocused();
  });
});

test("the shortcuts are listed, and focus returns when the list is closed", async ({ page }) => {
  await page.goto("/");
  await expect(composer(page)).toBeFocused();
  await page.keyboard.press("Control+/");
  const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(dialog).toContainText("New line");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(composer(page)).toBeFocused();
});

test("a closing dialog does not take the focus from another element", async ({ page }) => {
  await page.goto("/");
  await send(page, "take-home on £30,000");
  await isIdle(page);
  await page.getByRole("button", { name: "Share", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Share this conversation" });
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  // During the closing animation.
  await composer(page).evaluate((element) => element.focus());
  await expect(dialog).toBeHidden();
  await expect(composer(page)).toBeFocused();
});

test("the menus of the account and of a conversation work with arrow keys", async ({ page }) => {
  await page.goto("/");
  await send(page, "take-home on £30,000");
  await expect(answers(page)).toContainText("£30,000");
  await isIdle(page);
  const title = "Take-home on £30,000";
  const options = page.getByRole("main").getByRole("button", { name: `Options for ${title}` });
  await options.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Rename" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "Delete" })).toBeFocused();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("alertdialog");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(options).toBeFocused();

  await options.press("Escape");
  await expect(thread(page)).toBeVisible();
});
