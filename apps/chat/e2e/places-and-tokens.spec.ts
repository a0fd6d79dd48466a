import { answers, ask, composer, isIdle, notice, send, sendAgain } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

test.use({ answeredBy: "model server", expected: [status(429)] });

test.describe("one answer at a time", () => {
  test.use({ variables: { RATE_LIMIT_CHAT_CONCURRENT: "1" } });

  test("a second question waits for the first answer to end, and can be sent then", async ({
    page,
    modelServer,
  }) => {
    modelServer.setMode("slow");
    modelServer.setText("one two three four");
    await page.goto("/");
    await send(page, "count to four");
    modelServer.release(1);
    await expect(answers(page)).toContainText("one");

    await page.getByRole("link", { name: "New chat" }).first().click();
    await send(page, "and count again");
    await expect(notice(page)).toContainText("Your other answers are still being written.");
    await expect(sendAgain(page)).toHaveAttribute("aria-disabled", "true");
    await expect(composer(page)).toHaveValue("and count again");

    modelServer.release(Number.POSITIVE_INFINITY);
    await expect(notice(page)).toContainText("An answer has ended. You can send this now.");
    await sendAgain(page).click();
    await expect(answers(page)).toContainText("one two three four");
    await isIdle(page);
    await expect(notice(page)).toBeHidden();
  });

  test("the limit applies to all tabs of the same person together", async ({ page, modelServer }) => {
    modelServer.setMode("slow");
    modelServer.setText("one two three four");
    await page.goto("/");
    await send(page, "count to four");
    modelServer.release(1);
    await expect(answers(page)).toContainText("one");

    const other = await page.context().newPage();
    await other.goto("/");
    await send(other, "and count again");
    await expect(notice(other)).toContainText("Your other answers are still being written.");
    modelServer.release(Number.POSITIVE_INFINITY);
    await isIdle(page);
    await expect(notice(other)).toContainText("An answer has ended. You can send this now.");
    await sendAgain(other).click();
    await expect(answers(other)).toContainText("one two three four");
  });
});

test.describe("a provider that asks to wait", () => {
  test.use({ expected: [status(503)] });

  test("makes the notice count down the provider's wait, after which the message is answered", async ({
    page,
    modelServer,
    time,
  }) => {
    modelServer.setMode("asks-to-wait");
    await page.goto("/");
    await send(page, "hello");
    await expect(notice(page)).toContainText(/The model is busy just now\. Please wait [1-7] s\./);
    await expect(composer(page)).toHaveValue("hello");
    modelServer.setMode("normal");
    await time.pass(page, 7);
    await sendAgain(page).click();
    await expect(answers(page)).toContainText("three quarters");
    await isIdle(page);
  });
});

test.describe("a day's tokens", () => {
  test.use({ variables: { RATE_LIMIT_CHAT_TOKENS_PER_DAY: "5000" } });

  test("run out during an answer, which ends with the reason; the next message shows the wait", async ({
    page,
    modelServer,
  }) => {
    modelServer.setText("word ".repeat(4_000));
    await page.goto("/");
    await ask(page, "talk for a long while");
    await expect(answers(page)).toContainText("Ended here: your tokens are used up for now");
    await expect(page.getByRole("meter", { name: "Tokens used" })).toContainText(
      /^[45],\d{3} of 5,000 tokens today$/,
    );

    await send(page, "go on");
    await expect(notice(page)).toContainText(/Your tokens are used up for now\. Please wait \d+ h/);
    await expect(composer(page)).toHaveValue("go on");
  });
});
