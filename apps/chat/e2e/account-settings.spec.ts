import { freePort } from "@headgate/test-servers/free-port.ts";
import type { Page } from "@playwright/test";
import { startSmtpServer } from "../testing/smtp-server.ts";
import { accountButton, ask, composer, conversations, newEmail, send, signUp } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

const password = "correct horse battery";

async function openSettings(page: Page): Promise<void> {
  await accountButton(page).click();
  await page.getByRole("menuitem", { name: "Your account" }).click();
  await expect(page.getByRole("heading", { name: "Your account", exact: true })).toBeVisible();
}

async function signIn(page: Page, email: string, word = password): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(word);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

// The tests cause these statuses, which the browser logs: a refused password, and a deleted account.
test.use({ expected: [status(400), status(401)] });

test("a person sees their sessions, ends one, and changes the password", async ({ page, newVisitor }) => {
  const email = newEmail();
  await signUp(page, email);
  const elsewhere = await newVisitor();
  await signIn(elsewhere, email);
  await expect(accountButton(elsewhere)).toContainText(email);

  await openSettings(page);
  const places = page.getByRole("listitem").filter({ hasText: "since" });
  await expect(places).toHaveCount(2);
  await expect(places.filter({ hasText: "this one" })).toHaveCount(1);
  await page.getByRole("button", { name: /^End the session/ }).click();
  await expect(places).toHaveCount(1);
  await elsewhere.reload();
  await expect(accountButton(elsewhere)).toContainText("Not signed in");

  await page.getByLabel("Current password").fill(password);
  await page.getByLabel("New password").fill("Password1!");
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("This password is too common").last()).toBeVisible();
  await page.getByLabel("New password").fill("four quiet green kettles");
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("Your password has been changed.", { exact: true })).toBeVisible();
  await signIn(elsewhere, email, "four quiet green kettles");
  await expect(accountButton(elsewhere)).toContainText(email);
});

test("a person downloads their data, and deletes the account", async ({ page }) => {
  const email = newEmail();
  await signUp(page, email);
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  await openSettings(page);
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download your data" }).click();
  expect((await downloading).suggestedFilename()).toBe("headgate-export.json");

  await page.getByRole("button", { name: "Delete the account …" }).click();
  await page.getByLabel(/^Your password/).fill(password);
  await page.getByRole("button", { name: "Delete everything" }).click();
  await expect(accountButton(page)).toContainText("Not signed in");
  await expect(conversations(page).getByRole("link")).toHaveCount(0);
  await signIn(page, email);
  await expect(page.getByText("do not match an account").last()).toBeVisible();
});

test.describe(() => {
  test.use({ variables: { REQUIRE_ACCOUNT: "on" } });

  test("if an account is required, a question waits until its author signs in", async ({ page }) => {
    await page.goto("/");
    await send(page, "take-home on £30,000");
    await expect(page.getByText("Sign in to get an answer.", { exact: true })).toBeVisible();
    await expect(composer(page)).toHaveValue("take-home on £30,000");
    await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(/\/sign-in/);
    await expect(page.getByRole("link", { name: "Continue without an account" })).toHaveCount(0);
  });
});

test.describe(() => {
  test.use({ variables: { SIGN_UP: "closed" } });

  test("if only the operator creates accounts, the page says so", async ({ page }) => {
    await page.goto("/sign-up");
    await expect(page.getByText("Only the operator of this service can create accounts.")).toBeVisible();
  });
});

test("a forgotten password is replaced with a link from an e-mail", async ({ browser, time, database }) => {
  const { startService } = await import("../server/start.ts");
  const { promptModel } = await import("../testing/service.ts");
  const mail = await startSmtpServer();
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const service = await startService({
    env: {
      PORT: String(port),
      LOG_LEVEL: "silent",
      DATABASE_URL: "pglite://memory",
      MAIL_URL: mail.url,
      MAIL_FROM: "chat@example.com",
      PUBLIC_URL: url,
      SHUTDOWN_GRACE_SECONDS: "0",
    },
    clock: time.service,
    database,
    model: promptModel(time.service),
  });
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  const email = newEmail();
  await page.goto("/sign-up");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await openSettings(page);
  await expect(page.getByRole("heading", { name: "Confirm your e-mail address" })).toBeVisible();

  await page.goto("/sign-in");
  await page.getByRole("link", { name: "Forgotten your password?" }).click();
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page.getByText("we’ve sent a link").last()).toBeVisible();
  await expect.poll(() => mail.mails.length).toBe(2);
  await page.goto(/http:\S+\/reset-password#\S+/.exec(mail.mails[1]?.text ?? "")?.[0] ?? "about:blank");
  await page.getByLabel("New password").fill("four quiet green kettles");
  await page.getByRole("button", { name: "Save the password" }).click();
  await expect(page.getByText("Your new password is saved.").last()).toBeVisible();
  expect(new URL(page.url()).hash).toBe("");
  await signIn(page, email, "four quiet green kettles");
  await expect(accountButton(page)).toContainText(email);
  await context.close();
  await service.close();
  await mail.close();
});
