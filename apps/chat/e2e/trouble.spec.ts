import type { Page } from "@playwright/test";
import {
  answers,
  ask,
  blockMessages,
  composer,
  isIdle,
  newEmail,
  notice,
  paywall,
  questions,
  send,
  signUp,
} from "./chat-page.ts";
import { noConnection, status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

/** Returns the notice in place of an answer, by its title. */
const trouble = (page: Page, title: string) => page.getByRole("group", { name: title });

async function oneAction(page: Page, title: string, action: string) {
  await expect(trouble(page, title)).toBeVisible();
  await expect(trouble(page, title).getByRole("button")).toHaveText([action]);
  await expect(notice(page)).toBeHidden();
  await expect(paywall(page)).toBeHidden();
  return trouble(page, title).getByRole("button");
}

async function messagesLeft(page: Page): Promise<number> {
  const { quota } = await (await page.request.get("/me")).json();
  return quota.find(({ name }: { name: string }) => name === "user-per-minute").remaining;
}

test.describe("between the browser and the service", () => {
  test.use({ expected: [noConnection, status(500)] });

  test("offline, the message stays, and can be sent once the connection is back", async ({
    page,
    context,
  }) => {
    await page.goto("/");
    await ask(page, "take-home on £30,000");
    await context.setOffline(true);
    await expect(page.getByText("You're offline. You can keep writing.")).toBeVisible();
    await send(page, "take-home on £52,000");
    await oneAction(page, "You're offline.", "Try again");
    await expect(composer(page)).toHaveValue("take-home on £52,000");
    await expect(questions(page)).toHaveCount(1);

    await context.setOffline(false);
    await (await oneAction(page, "You're back online.", "Send now")).click();
    await expect(answers(page)).toHaveCount(2);
    await expect(answers(page).last()).toContainText("£52,000");
    await isIdle(page);
    await expect(composer(page)).toHaveValue("");
  });

  test("with the service down, the message stays, and can be sent once the service is back", async ({
    page,
    service,
  }) => {
    await page.goto("/");
    await ask(page, "take-home on £30,000");
    await service.stop();
    await send(page, "take-home on £52,000");
    const again = await oneAction(page, "The service can't be reached.", "Try again");
    await expect(composer(page)).toHaveValue("take-home on £52,000");
    await again.click();
    await oneAction(page, "The service can't be reached.", "Try again");

    await service.startAgain();
    await trouble(page, "The service can't be reached.").getByRole("button").click();
    await expect(answers(page).last()).toContainText("£52,000");
    await isIdle(page);
    await page.reload();
    await expect(questions(page)).toHaveText(["take-home on £30,000", "take-home on £52,000"]);
  });

  test("an error of the service has its own notice, with the request id", async ({ page }) => {
    await page.goto("/");
    await expect(composer(page)).toBeVisible();
    const problem = {
      type: "about:blank",
      title: "Error",
      status: 500,
      detail: "Oh.",
      error: "internal_error",
    };
    await page.route("**/chat/message", (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify({ ...problem, request_id: "request-17" }),
      }),
    );
    await send(page, "take-home on £52,000");
    const again = await oneAction(page, "Something went wrong on our side.", "Try again");
    await expect(trouble(page, "Something went wrong on our side.")).toContainText("Request request-17");
    await expect(composer(page)).toHaveValue("take-home on £52,000");
    await page.unroute("**/chat/message");
    await again.click();
    await expect(answers(page)).toContainText("£52,000");
  });
});

test.describe("between the service and the model", () => {
  test.use({ answeredBy: "model server", expected: [status(502), status(503), noConnection] });

  test("a failure before the first word costs nothing, and the question can be answered on the next attempt", async ({
    page,
    modelServer,
  }) => {
    modelServer.setMode("fail-500");
    await page.goto("/");
    await send(page, "take-home on £52,000");
    const again = await oneAction(page, "The model did not answer.", "Try again");
    await expect(page.locator("body")).not.toContainText("sk-secret");
    await expect(page.locator("body")).not.toContainText("internal.example");
    expect(await messagesLeft(page)).toBe(5);
    await expect(page.getByText("take-home on £52,000").first()).toBeVisible();

    modelServer.setMode("normal");
    await again.click();
    await expect(answers(page)).toContainText("three quarters");
    await isIdle(page);
    expect(await messagesLeft(page)).toBe(4);
    await page.reload();
    await expect(questions(page)).toHaveText(["take-home on £52,000"]);
    await expect(answers(page)).toHaveCount(1);
  });

  test("after a reload, the question can still be answered", async ({ page, modelServer }) => {
    modelServer.setMode("fail-401");
    await page.goto("/");
    await send(page, "take-home on £52,000");
    await oneAction(page, "The model did not answer.", "Try again");
    await page.reload();
    modelServer.setMode("normal");
    await page.getByRole("button", { name: "Answer it" }).click();
    await expect(answers(page)).toContainText("three quarters");
    await expect(questions(page)).toHaveText(["take-home on £52,000"]);
  });

  for (const mode of ["error-midway", "hang-up-midway"] as const) {
    test(`${mode}: the received part is kept, and the answer can be retried`, async ({
      page,
      modelServer,
    }) => {
      modelServer.setMode(mode);
      modelServer.setText("one two three four five");
      await page.goto("/");
      await send(page, "count to five");
      await oneAction(page, "The answer was cut off.", "Answer again");
      await expect(answers(page)).toContainText("one two three");
      await expect(answers(page)).toContainText("Cut off before the end");
      await expect(page.locator("body")).not.toContainText("sk-secret");
      // Part of an answer was served, so the charge stays.
      expect(await messagesLeft(page)).toBe(4);

      await page.reload();
      await expect(answers(page)).toContainText("one two three");
      await expect(answers(page)).toContainText("Cut off before the end");

      modelServer.setMode("normal");
      await answers(page).getByRole("button", { name: "Answer again" }).click();
      await expect(answers(page)).toContainText("one two three four five");
      await isIdle(page);
      await expect(answers(page)).toHaveCount(1);
      await expect(questions(page)).toHaveCount(1);
    });
  }
});

test.describe("between a person and their conversations", () => {
  test.use({ expected: [status(404), status(401)] });

  test("a conversation that does not exist leads to a new chat", async ({ page }) => {
    await page.goto(`/c/${crypto.randomUUID()}`);
    await expect(page.getByRole("heading", { name: "This conversation is gone." })).toBeVisible();
    await page.getByRole("button", { name: "Start a new chat" }).click();
    await expect(page).toHaveURL("/");
    await expect(composer(page)).toBeVisible();
  });

  test("a session that was ended elsewhere leads to the sign-in page, and back to the same message", async ({
    page,
  }) => {
    const email = newEmail();
    await signUp(page, email);
    await ask(page, "take-home on £30,000");
    const place = page.url();
    expect((await page.request.post("/auth/sign-out", { data: {} })).status()).toBe(200);

    await send(page, "take-home on £52,000");
    await (await oneAction(page, "Your session has ended.", "Sign in")).click();
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(page).toHaveURL(place);
    await expect(questions(page)).toHaveText(["take-home on £30,000"]);
    await expect(composer(page)).toHaveValue("take-home on £52,000");
    await composer(page).press("Enter");
    await expect(answers(page).last()).toContainText("£52,000");
  });

  test("an unknown address shows the page's own message, with a link", async ({ page }) => {
    const response = await page.goto("/nowhere/at/all");
    expect(response?.status()).toBe(404);
    await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
    await expect(page.getByRole("main")).toContainText("/nowhere/at/all");
    await page.getByRole("link", { name: "Start a new chat" }).click();
    await expect(composer(page)).toBeVisible();
  });
});

test.describe("a caller who is blocked", () => {
  test.use({ expected: [status(403)] });

  test("sees a notice, keeps the message, and need not wait or pay", async ({ page }) => {
    await blockMessages(page);
    await page.goto("/");
    await send(page, "take-home on £52,000");
    const again = await oneAction(page, "You can't send messages here.", "Check again");
    await expect(trouble(page, "You can't send messages here.")).toContainText("Request request-18");
    await expect(composer(page)).toHaveValue("take-home on £52,000");
    await page.unroute("**/chat/message");
    await again.click();
    await expect(answers(page)).toContainText("£52,000");
  });
});
