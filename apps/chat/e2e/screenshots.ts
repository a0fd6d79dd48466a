/**
 * Takes the README's screenshots, the same each time: `npm run screenshots`, after `npm run build`.
 */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "@playwright/test";
import type { ConversationPage } from "../contract.ts";
import { startTestService, TEST_START_MS, type TestService } from "../testing/service.ts";
import { answers, ask, notice, secondsToWait, send, spend } from "./chat-page.ts";

const folder = fileURLToPath(new URL("../../../docs/images/", import.meta.url));

/** The countdown in every screenshot. */
const shownSeconds = 42;

const dayMs = 86_400_000;
const earlier = [
  { title: "Marginal rate at £120,000", daysAgo: 0.1 },
  { title: "Comparison of £50,000 and £60,000", daysAgo: 1 },
  { title: "Take-home from £20,000 to £120,000", daysAgo: 1.1 },
  { title: "Personal allowance on £110,000", daysAgo: 4 },
  { title: "National Insurance on £30,000", daysAgo: 16 },
];

const pictures: { file: string; browser: BrowserContextOptions }[] = [
  {
    file: "notice.png",
    browser: { viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5, colorScheme: "light" },
  },
  {
    file: "notice-dark-phone.png",
    browser: { viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true },
  },
];

/** Prepares a conversation with an answer, and a sixth message that must wait for 42 seconds. */
async function stage(page: Page, service: TestService): Promise<void> {
  for (const { title, daysAgo } of earlier) {
    service.clock.set(TEST_START_MS - daysAgo * dayMs);
    await page.request.post("/conversations", { data: { title } });
  }
  service.clock.set(TEST_START_MS);
  await page.clock.install({ time: TEST_START_MS });
  await spend(page, 4);
  // Remove the conversations that only spent the quota.
  const { conversations } = (await (await page.request.get("/conversations")).json()) as ConversationPage;
  for (const { id, title } of conversations) {
    if (!earlier.some((one) => one.title === title)) await page.request.delete(`/conversations/${id}`);
  }
  await page.goto("/");
  await ask(page, "What is my take-home on £45,000 in Scotland with student loan plan 2?");
  await answers(page).getByRole("region", { name: "Take-home pay on £45,000" }).waitFor();
  const title = "Take-home on £45,000 in Scotland with Plan 2";
  await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  await send(page, "And how much of a rise to £52,000 would I keep?");
  await notice(page).waitFor();
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
  await page.clock.runFor(((await secondsToWait(page)) - shownSeconds) * 1_000);
  await notice(page).getByText(`Please wait ${shownSeconds} s.`).waitFor();
}

async function take(browser: Browser, { file, browser: options }: (typeof pictures)[number]): Promise<void> {
  const service = await startTestService();
  try {
    const context = await browser.newContext({
      baseURL: service.url,
      deviceScaleFactor: 2,
      reducedMotion: "reduce",
      locale: "en-GB",
      timezoneId: "Europe/London",
      ...options,
    });
    const page = await context.newPage();
    await stage(page, service);
    await page.screenshot({ path: `${folder}${file}`, animations: "disabled" });
    await context.close();
    console.log(`docs/images/${file}`);
  } finally {
    await service.close();
  }
}

const executablePath = process.env.CHROMIUM_PATH || "/usr/bin/chromium";
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  for (const picture of pictures) await take(browser, picture);
} finally {
  await browser.close();
}
