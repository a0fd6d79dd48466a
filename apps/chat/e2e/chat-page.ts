import { expect, type Locator, type Page } from "@playwright/test";

/** Locators for the parts of the chat, by accessible name. */
export const composer = (page: Page): Locator => page.getByRole("textbox", { name: "Your question" });
export const sendButton = (page: Page): Locator => page.getByRole("button", { name: "Send", exact: true });
export const stopButton = (page: Page): Locator => page.getByRole("button", { name: "Stop answering" });
export const questions = (page: Page): Locator => page.getByRole("article", { name: "You", exact: true });
export const answers = (page: Page): Locator => page.getByRole("article", { name: "Headgate", exact: true });
export const thread = (page: Page): Locator =>
  page.getByRole("region", { name: "Conversation", exact: true });
/** The notice after a rate-limit refusal. */
export const notice = (page: Page): Locator => page.getByRole("group", { name: "Sending is paused" });
export const sendAgain = (page: Page): Locator => notice(page).getByRole("button", { name: "Send again" });
export const paywall = (page: Page): Locator => page.getByRole("dialog", { name: /^Your credit is/ });
export const conversations = (page: Page): Locator => page.getByRole("navigation", { name: "Conversations" });
export const accountButton = (page: Page): Locator => page.getByRole("button", { name: /^Account/ });

/** Types a question and sends it, without waiting for the result. */
export async function send(page: Page, question: string): Promise<void> {
  await composer(page).fill(question);
  await composer(page).press("Enter");
}

/** Asks a question, and waits until the answer is complete. */
export async function ask(page: Page, question: string): Promise<void> {
  const before = await answers(page).count();
  await send(page, question);
  await expect(answers(page)).toHaveCount(before + 1);
  await isIdle(page);
}

/** Waits until the answer has ended and another question can be sent. */
export async function isIdle(page: Page): Promise<void> {
  await expect(sendButton(page)).toBeVisible();
}

/** Holds back the page's requests to an address until the returned function is called. */
export async function holdBack(page: Page, address: string): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(address, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** Asks this number of short questions, one after the other. */
export async function askTimes(page: Page, times: number): Promise<void> {
  for (let time = 1; time <= times; time += 1)
    await ask(page, `What is the personal allowance on £${100 + time}k?`);
}

/**
 * Spends the quota of this browser's caller with questions outside the page's conversations.
 * Reads the answers to their end, so that no request is in progress afterwards.
 */
export async function spend(page: Page, times: number): Promise<void> {
  for (let time = 1; time <= times; time += 1) {
    const response = await page.request.post("/chat/message", {
      data: { messages: [{ role: "user", content: "hello" }] },
    });
    expect(response.status()).toBe(200);
    await response.body();
  }
}

/** Answers every message with the refusal of a permanently blocked caller. */
export async function blockMessages(page: Page): Promise<void> {
  await page.route("**/chat/message", (route) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify({
        type: "about:blank",
        title: "Blocked",
        status: 403,
        detail: "This caller is blocked.",
        error: "Blocked",
        request_id: "request-18",
      }),
    }),
  );
}

/** Creates a conversation with this number of questions, through the API. Returns its id. */
export async function longConversation(page: Page, times: number): Promise<string> {
  const turns = Array.from({ length: times }, (_, turn) => [
    { role: "user", content: `question ${turn}` },
    { role: "assistant", content: `answer ${turn}` },
  ]).flat();
  const response = await page.request.post("/chat/message", {
    data: { messages: [...turns, { role: "user", content: "take-home on £30,000" }] },
  });
  expect(response.status()).toBe(200);
  await response.body();
  return response.headers()["x-conversation-id"] ?? "";
}

/** Returns the wait in the notice, in seconds. Expects more than 0 and at most 60 seconds. */
export async function secondsToWait(page: Page): Promise<number> {
  const text = (await notice(page).textContent()) ?? "";
  const [, minutes = "0", seconds = "0"] = /Please wait (?:(\d+) min)? ?(?:(\d+) s)?\./.exec(text) ?? [];
  const total = Number(minutes) * 60 + Number(seconds);
  expect(total, text).toBeGreaterThan(0);
  expect(total, text).toBeLessThanOrEqual(60);
  return total;
}

/** Returns everything announced to screen readers since this call, in order. */
export async function listenToAnnouncements(page: Page): Promise<() => Promise<string[]>> {
  await page.getByTestId("announcer").evaluate((element) => {
    const said: string[] = [];
    new MutationObserver(() => {
      const text = element.textContent ?? "";
      if (text !== "") said.push(text);
    }).observe(element, { childList: true, characterData: true, subtree: true });
    Object.assign(window, { said });
  });
  return () => page.evaluate(() => [...(window as unknown as { said: string[] }).said]);
}

/** Creates an account through the page, and returns to the chat. */
export async function signUp(page: Page, email: string, password = "correct horse battery"): Promise<void> {
  await page.goto("/sign-up");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(accountButton(page)).toContainText(email);
  await expect(composer(page)).toBeVisible();
}

/** Returns a unique address, because the tests of a worker share a database. */
export function newEmail(): string {
  return `ada-${crypto.randomUUID().slice(0, 8)}@example.com`;
}
