import type { Page } from "@playwright/test";
import {
  accountButton,
  answers,
  ask,
  askTimes,
  composer,
  isIdle,
  listenToAnnouncements,
  newEmail,
  notice,
  paywall,
  questions,
  secondsToWait,
  send,
  sendAgain,
  signUp,
  spend,
} from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

test.use({ expected: [status(429)] });

const sixth = "take-home on £52,000";

/** Returns the stored deadline of the wait. */
async function deadline(page: Page): Promise<number> {
  const kept = await page.evaluate(() => localStorage.getItem("headgate.refusal"));
  return JSON.parse(kept ?? "{}").refusal?.deadline;
}

test("the sixth message within a minute waits, is not lost, and is answered after the wait", async ({
  page,
  time,
}) => {
  await page.goto("/");
  await askTimes(page, 5);
  await send(page, sixth);

  await expect(notice(page)).toContainText("You're sending messages a bit fast. Please wait");
  await expect(notice(page)).toContainText("Nothing is lost: your message is still below.");
  await expect(composer(page)).toHaveValue(sixth);
  await expect(paywall(page)).toBeHidden();
  await expect(questions(page)).toHaveCount(5);
  await expect(answers(page)).toHaveCount(5);
  await expect(sendAgain(page)).toHaveAttribute("aria-disabled", "true");

  await time.stop(page);
  const seconds = await secondsToWait(page);
  await time.run(page, seconds - 1);
  await expect(notice(page)).toContainText("Please wait 1 s.");
  await expect(sendAgain(page)).toHaveAttribute("aria-disabled", "true");
  await time.run(page, 1);
  await expect(notice(page)).toContainText("You can send again now.");
  await expect(sendAgain(page)).toHaveAttribute("aria-disabled", "false");

  await page.clock.resume();
  await sendAgain(page).click();
  await expect(answers(page)).toHaveCount(6);
  await isIdle(page);
  await expect(notice(page)).toBeHidden();
  await expect(composer(page)).toHaveValue("");
  await expect(questions(page).last()).toHaveText(sixth);
  await expect(answers(page).last()).toContainText("£52,000");
});

test("the notice is not part of the conversation, and a reload keeps the deadline and the message", async ({
  page,
  time,
}) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  await spend(page, 4);
  await send(page, sixth);
  await expect(notice(page)).toBeVisible();
  const before = await deadline(page);

  await page.reload();
  await expect(answers(page)).toHaveCount(1);
  await expect(questions(page)).toHaveText(["take-home on £30,000"]);
  await expect(composer(page)).toHaveValue(sixth);
  await expect(notice(page)).toContainText("Nothing is lost: your message is still below.");
  expect(await deadline(page)).toBe(before);

  await time.pass(page, 60);
  await expect(notice(page)).toContainText("You can send again now.");
  await sendAgain(page).click();
  await expect(questions(page)).toHaveText(["take-home on £30,000", sixth]);
  await isIdle(page);
  await expect(notice(page)).toBeHidden();
});

test("a new chat has the same wait, and no button without a draft", async ({ page, time }) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  await spend(page, 4);
  await send(page, sixth);
  await expect(notice(page)).toBeVisible();
  const before = await deadline(page);

  await page.getByRole("link", { name: "New chat" }).click();
  await expect(answers(page)).toHaveCount(0);
  await expect(notice(page)).toContainText("You can write your next message in the meantime.");
  await expect(sendAgain(page)).toHaveCount(0);
  expect(await deadline(page)).toBe(before);
  await time.pass(page, 60);
  await expect(notice(page)).toBeHidden();
});

test.describe("signing up during a wait", () => {
  test("returns to the same conversation and draft, with the new account's own quota", async ({ page }) => {
    await page.goto("/");
    await ask(page, "take-home on £30,000");
    await spend(page, 4);
    await send(page, sixth);
    await expect(notice(page)).toBeVisible();
    await expect(page.getByRole("meter", { name: "Messages used" })).toBeVisible();
    const place = page.url();

    await accountButton(page).click();
    await page.getByRole("menuitem", { name: "Create an account" }).click();
    const email = newEmail();
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await page.getByRole("button", { name: "Create account" }).click();

    await expect(page).toHaveURL(place);
    await expect(accountButton(page)).toContainText(email);
    await expect(answers(page)).toHaveCount(1);
    await expect(composer(page)).toHaveValue(sixth);
    await expect(notice(page)).toBeHidden();
    await expect(page.getByRole("meter", { name: "Messages used" })).toBeHidden();
    await composer(page).press("Enter");
    await expect(answers(page)).toHaveCount(2);
    await isIdle(page);

    // A reload does not bring it back either.
    await page.reload();
    await expect(answers(page)).toHaveCount(2);
    await expect(notice(page)).toBeHidden();
  });

  test("ends the previous caller's refusal in every other tab too", async ({ page, context }) => {
    await page.goto("/");
    const other = await context.newPage();
    await other.goto("/");
    await spend(page, 5);
    await send(other, sixth);
    await expect(notice(other)).toBeVisible();
    await expect(notice(page)).toBeVisible();

    await signUp(page, newEmail());
    await expect(notice(page)).toBeHidden();
    await expect(notice(other)).toBeHidden();
    await expect(accountButton(other)).not.toContainText("Not signed in");
    await composer(other).press("Enter");
    await expect(answers(other)).toContainText("£52,000");
    await isIdle(other);
  });
});

test("a countdown is right immediately after the machine slept", async ({ page, time }) => {
  await spend(page, 5);
  await page.goto("/");
  await send(page, sixth);
  await expect(notice(page)).toBeVisible();
  await time.stop(page);
  const seconds = await secondsToWait(page);

  // Timers do not run during sleep; only the clock moves.
  const wake = async (later: number) => {
    await page.clock.setSystemTime((await page.evaluate(() => Date.now())) + later * 1000);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  };
  await wake(seconds - 7);
  await expect(notice(page)).toContainText("Please wait 7 s.");
  await wake(3600);
  await expect(notice(page)).toContainText("You can send again now.");
});

test("screen readers announce the arrival, the milestones and the end, but not every second", async ({
  page,
  time,
}) => {
  await spend(page, 5);
  await page.goto("/");
  await expect(composer(page)).toBeVisible();
  const said = await listenToAnnouncements(page);
  await send(page, sixth);
  await expect(notice(page)).toBeVisible();
  await expect
    .poll(said)
    .toEqual([expect.stringMatching(/^You're sending messages a bit fast\. Please wait /)]);

  await time.stop(page);
  const seconds = await secondsToWait(page);
  await time.run(page, seconds - 30);
  await expect(notice(page)).toContainText("Please wait 30 s.");
  await time.run(page, 19);
  await expect(notice(page)).toContainText("Please wait 11 s.");
  await expect.poll(async () => (await said()).slice(1)).toEqual(["You can send again in 30 seconds."]);
  await time.run(page, 1);
  await expect.poll(async () => (await said()).slice(2)).toEqual(["You can send again in 10 seconds."]);
  await time.run(page, 9);
  await expect(notice(page)).toContainText("Please wait 1 s.");
  await time.run(page, 1);
  await expect.poll(async () => (await said()).slice(3)).toEqual(["You can send again now."]);
});

test("pressing the button too early sends nothing, and announces the remaining wait", async ({
  page,
  time,
}) => {
  await spend(page, 5);
  await page.goto("/");
  await expect(composer(page)).toBeVisible();
  const said = await listenToAnnouncements(page);
  await send(page, sixth);
  await time.stop(page);
  // A whole minute would be announced as "1 minute".
  await time.run(page, 3);
  const seconds = await secondsToWait(page);
  let sent = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/chat/message")) sent += 1;
  });
  await sendAgain(page).click({ force: true });
  await expect.poll(async () => (await said()).at(-1)).toBe(`You can send again in ${seconds} seconds.`);
  expect(sent).toBe(0);
  await expect(composer(page)).toHaveValue(sixth);
});

test("the text can be changed during the wait, and the changed text is sent", async ({ page, time }) => {
  await spend(page, 5);
  await page.goto("/");
  await send(page, sixth);
  await expect(notice(page)).toBeVisible();
  await composer(page).fill("take-home on £53,000");
  await time.pass(page, 60);
  await sendAgain(page).click();
  await expect(questions(page)).toHaveText(["take-home on £53,000"]);
  await expect(answers(page)).toContainText("£53,000");
});

test("another tab of the same browser shares the quota and the wait", async ({ page, context, time }) => {
  await spend(page, 4);
  await page.goto("/");
  const other = await context.newPage();
  await other.goto("/");
  await ask(page, "take-home on £30,000");

  const meter = other.getByRole("meter", { name: "Messages used" });
  await expect(meter).toContainText("5 of 5 messages this minute");
  await send(other, sixth);
  await expect(notice(other)).toBeVisible();
  await expect(composer(other)).toHaveValue(sixth);
  await expect(notice(page)).toContainText("You can write your next message in the meantime.");

  await time.pass(other, 60);
  await sendAgain(other).click();
  await expect(answers(other)).toContainText("£52,000");
  await isIdle(other);
  await expect(notice(page)).toBeHidden();
});

test.describe("an hour's limit", () => {
  test.use({ variables: { RATE_LIMIT_CHAT_PER_MIN: "100", RATE_LIMIT_CHAT_PER_HOUR: "3" } });

  test("is shown in minutes, and lasts exactly as long", async ({ page, time }) => {
    await spend(page, 3);
    await page.goto("/");
    await send(page, sixth);
    await expect(notice(page)).toContainText(/Please wait (1 h|59 min \d+ s|59 min)\./);
    await time.pass(page, 3500);
    await expect(notice(page)).toContainText(/Please wait (1 min|1 min \d+ s)\./);
    await time.pass(page, 100);
    await expect(notice(page)).toContainText("You can send again now.");
    await sendAgain(page).click();
    await expect(answers(page)).toContainText("£52,000");
  });
});

test.describe("with a real model", () => {
  test.use({ answeredBy: "model server" });

  test("a refused message never reaches the model; sent again, it does, once", async ({
    page,
    time,
    modelServer,
  }) => {
    await spend(page, 5);
    await page.goto("/");
    const seen = () =>
      modelServer.requests.filter(({ body }) => body.stream && JSON.stringify(body).includes(sixth));
    await send(page, sixth);
    await expect(notice(page)).toBeVisible();
    expect(seen()).toHaveLength(0);
    await time.pass(page, 60);
    await sendAgain(page).click();
    await expect(answers(page)).toContainText("three quarters");
    await isIdle(page);
    expect(seen()).toHaveLength(1);
    expect(JSON.stringify(modelServer.requests)).not.toContain("a bit fast");
  });
});

test("everything except the expensive route works for a limited caller", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  await spend(page, 4);
  const id = new URL(page.url()).pathname.split("/").at(-1);
  const { request } = page;
  for (let round = 1; round <= 10; round += 1) {
    const refused = await request.post("/chat/message", {
      data: { messages: [{ role: "user", content: "hello" }] },
    });
    expect(refused.status()).toBe(429);
    const body = await refused.json();
    expect(body).toMatchObject({ error: "Too many requests", status: 429 });
    expect(refused.headers()["retry-after"]).toBe(String(body.retry_after_seconds));

    for (const path of [
      "/health",
      "/ready",
      "/version",
      "/me",
      "/conversations",
      `/conversations/${id}`,
      "/",
    ]) {
      expect((await request.get(path)).status(), path).toBe(200);
    }
    const title = await request.post("/chat/title", { data: { conversation_id: id } });
    expect(title.status()).toBe(200);
    expect(
      (await request.patch(`/conversations/${id}`, { data: { title: `Round ${round}` } })).status(),
    ).toBe(200);
    expect((await request.post(`/conversations/${id}/share`)).status()).toBe(200);
  }
});
