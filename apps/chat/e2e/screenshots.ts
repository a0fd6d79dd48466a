/**
 * Takes the screenshots of the README and the guide, which are the same each time: `npm run screenshots`, after `npm
 * run build`.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
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

const operatorToken = "a token of at least 32 characters";

/** Simulates 14 minutes of traffic: people ask now and then, and one program asks too often. */
async function askAround(service: TestService): Promise<void> {
  const people = ["ada", "ben", "chloe", "dev", "eve", "farid"];
  const clients = people.map((name) => service.client({ "X-User-Id": name }));
  const program = service.client({ "X-User-Id": "nightly-import" });
  for (let minute = 0; minute < 14; minute += 1) {
    const asked = [
      ...clients.filter((_, at) => (minute + at) % 3 > 0),
      ...Array(minute % 4 === 3 ? 8 : 4).fill(program),
    ];
    for (const client of asked) await client.ask("hello");
    await service.clock.advance(60_000);
  }
}

/**
 * Takes the screenshots of the console: the overview, why a request was refused, and a policy that is tried on the log.
 */
async function takeConsole(browser: Browser): Promise<void> {
  const log = await mkdtemp(path.join(tmpdir(), "headgate-pictures-"));
  const service = await startTestService({
    env: { OPERATOR_TOKEN: operatorToken, DECISION_LOG: log, RATE_LIMIT_CHAT_PER_MIN: "5" },
  });
  try {
    await askAround(service);
    const program = service.client({ "X-User-Id": "nightly-import" });
    let refused = "";
    for (let n = 0; n < 6; n += 1) {
      const { response, problem } = await program.ask("hello");
      if (response.status === 429) refused = String(problem.request_id);
    }
    const page = await (
      await browser.newContext({
        baseURL: service.url,
        viewport: { width: 1_120, height: 840 },
        colorScheme: "light",
        reducedMotion: "reduce",
        locale: "en-GB",
        timezoneId: "Europe/London",
      })
    ).newPage();
    const picture = async (name: string) => {
      await page.screenshot({ path: `${folder}${name}.png`, animations: "disabled" });
      console.log(`docs/images/${name}.png`);
    };
    const go = (name: string) =>
      page.getByRole("navigation", { name: "Console" }).getByRole("link", { name }).click();
    await page.goto("/operator");
    await page.getByLabel("Your name").fill("Ann");
    await page.getByLabel("Token").fill(operatorToken);
    await page.getByLabel("Token").press("Enter");
    await page.getByRole("img", { name: /^Decisions over time/ }).waitFor();
    await picture("console-now");

    await go("Callers");
    await page.getByLabel("Caller or request id").fill(refused);
    await page.getByLabel("Caller or request id").press("Enter");
    await page.getByRole("region", { name: "Why this request was refused" }).waitFor();
    await picture("console-refusal");

    await go("Policy");
    await page.getByRole("link", { name: "Change the policy of chat" }).click();
    const policy = page.getByLabel("Policy as JSON");
    await policy.fill((await policy.inputValue()).replace(/\d+\/minute; /, "3/minute; "));
    await page
      .locator("#policy-state")
      .getByText(/It would be policy/)
      .waitFor();
    await page.getByRole("button", { name: "Try on the log" }).click();
    const tried = page.getByRole("region", { name: "On past traffic" }).first();
    await tried.getByText(/would be newly refused/).waitFor();
    await tried.scrollIntoViewIfNeeded();
    await picture("console-policy");
  } finally {
    await service.close();
    await rm(log, { recursive: true, force: true });
  }
}

const executablePath = process.env.CHROMIUM_PATH || "/usr/bin/chromium";
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  for (const picture of pictures) await take(browser, picture);
  await takeConsole(browser);
} finally {
  await browser.close();
}
