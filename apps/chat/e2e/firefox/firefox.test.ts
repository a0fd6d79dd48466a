import { inflateSync } from "node:zlib";
import puppeteer, { type Browser, type BrowserContext, type Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestService, type TestService } from "../../testing/service.ts";

/** The system's Firefox; `npm run test:soak` finds it and sets the variable. */
const executablePath = process.env.FIREFOX_PATH || "/usr/bin/firefox-esr";

/** Every test waits for events. This is only the maximum, for a busy machine. */
const patience = { timeout: 120_000 };
const sixth = "take-home on £52,000";

let browser: Browser;
let service: TestService;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    ...patience,
  });
});

afterAll(() => browser?.close());

beforeEach(async () => {
  service = await startTestService({
    env: {
      // The window is long because the browser's clock runs: a wait of a minute could be over before a slow browser has
      // shown it.
      RATE_LIMIT_CHAT_PER_MIN: "5/20 minutes",
      RATE_LIMIT_CHAT_PER_HOUR: "60",
      RATE_LIMIT_CHAT_IP_PER_MIN: "100",
    },
  });
  context = await browser.createBrowserContext();
  complaints = [];
  page = await newTab();
});

afterEach(async () => {
  await context.close();
  await service.close();
  expect(complaints, "what the browser complained of").toEqual([]);
});

const brokenPolicy = "content policy:";

async function newTab(): Promise<Page> {
  const tab = await context.newPage();
  await tab.setViewport({ width: 1180, height: 760 });
  tab.setDefaultTimeout(patience.timeout);
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("console", (message) => {
    if (message.text().startsWith(brokenPolicy)) complaints.push(message.text());
  });
  // A library that violates the policy and catches the error is only reported by this event.
  await tab.evaluateOnNewDocument((beginning) => {
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile }) => {
      console.error(`${beginning} ${effectiveDirective} forbids ${blockedURI}, in ${sourceFile}`);
    });
  }, brokenPolicy);
  return tab;
}

const open = (path: string, tab = page) => tab.goto(new URL(path, service.url).href);

/** Waits until the page shows a text. */
async function shows(words: string, tab = page): Promise<void> {
  await tab.waitForFunction((text) => document.body.innerText.includes(text), patience, words);
}

/** Waits until the notice is gone. Its announcement may still be in the live region. */
async function isNotRefused(tab: Page): Promise<void> {
  await tab.waitForFunction(() => document.querySelector("[data-headgate-notice]") === null, patience);
}

const composer = "textarea[aria-label='Your question']";

/** Waits until the composer has a text. */
async function isComposed(text: string): Promise<void> {
  await page.waitForFunction(
    (selector, wanted) => document.querySelector<HTMLTextAreaElement>(selector)?.value === wanted,
    patience,
    composer,
    text,
  );
}

async function send(question: string, tab = page): Promise<void> {
  await tab.waitForSelector(composer);
  await tab.type(composer, question);
  await tab.keyboard.press("Enter");
}

/** Asks a number of questions, and waits for each answer. */
async function askTimes(times: number): Promise<void> {
  for (let time = 1; time <= times; time += 1) {
    await send(`take-home on £${30 + time}k`);
    await page.waitForFunction(
      (count) =>
        document.querySelectorAll("article[aria-label=Headgate][aria-busy=false]").length === count &&
        document.querySelector("[aria-label=Send]") !== null,
      patience,
      time,
    );
  }
}

/** Waits until an element has the focus, by its accessible name or its text. */
async function hasFocus(name: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const element = document.activeElement;
      return (element?.getAttribute("aria-label") ?? element?.textContent?.trim()) === wanted;
    },
    patience,
    name,
  );
}

const keptDeadline = (tab: Page) =>
  tab.evaluate(() => JSON.parse(localStorage.getItem("headgate.refusal") ?? "{}").refusal?.deadline);

/** Returns the number of pages of a PDF, whose objects are in compressed streams. */
function pagesOf(pdf: Buffer): number {
  const streams = pdf.toString("latin1").matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/g);
  const texts = [...streams].map(([, body = ""]) => {
    try {
      return inflateSync(Buffer.from(body, "latin1")).toString("latin1");
    } catch {
      return "";
    }
  });
  return [pdf.toString("latin1"), ...texts].join("\n").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
}

test("a question is answered with a card, and kept in the history", async () => {
  await open("/");
  await askTimes(1);
  await shows("Take-home on £31,000");
  await shows("National Insurance");
  await isComposed("");
  expect(new URL(page.url()).pathname).toMatch(/^\/c\//);
  await page.reload();
  await shows("National Insurance");
});

test("a wait is the same after a reload and in another tab, and ends at sign-up", async () => {
  await open("/");
  await askTimes(5);
  await send(sixth);
  await shows("You're sending messages a bit fast. Please wait");
  await isComposed(sixth);
  const deadline = await keptDeadline(page);

  await page.reload();
  await shows("Nothing is lost: your message is still below.");
  await isComposed(sixth);
  expect(await keptDeadline(page)).toBe(deadline);

  const other = await newTab();
  await open("/", other);
  await shows("You can write your next message in the meantime.", other);

  const place = new URL(page.url()).pathname;
  await page.bringToFront();
  await page.click("button[aria-label='Account and settings']");
  await page.waitForSelector("[role=menu]:popover-open");
  const items = await page.$$("[role=menuitem]");
  for (const item of items) {
    const isIt = await item.evaluate((element) => element.textContent?.includes("Create an account"));
    if (!isIt) continue;
    await item.click();
    break;
  }
  await page.waitForSelector("input[name=email]");
  await page.type("input[name=email]", "ada@example.com");
  await page.type("input[name=password]", "correct horse battery");
  await page.keyboard.press("Enter");
  await shows("ada@example.com");
  await page.waitForFunction((path) => location.pathname === path, patience, place);
  await page.waitForSelector(composer);
  await isComposed(sixth);
  await isNotRefused(page);
  await other.bringToFront();
  await isNotRefused(other);
  await page.bringToFront();
  await page.focus(composer);
  await page.keyboard.press("Enter");
  await shows("Take-home on £52,000");
});

test("menus and dialogs work by keyboard, and restore the focus", async () => {
  await open("/");
  await askTimes(1);
  await page.waitForSelector("main [aria-haspopup=menu]");
  await page.focus("main [aria-haspopup=menu]");
  const options = await page.$eval("main [aria-haspopup=menu]", (button) => button.ariaLabel ?? "");
  await hasFocus(options);
  await page.keyboard.press("Enter");
  await hasFocus("Rename");
  await page.keyboard.press("ArrowUp");
  await hasFocus("Delete");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open][role=alertdialog]");
  await hasFocus("Cancel");
  for (let press = 1; press <= 4; press += 1) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest("dialog[open]") !== null)).toBe(true);
  }
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelector("dialog[open]") === null, patience);
  await hasFocus(options);
});

test("on a phone the sidebar is a drawer, and nothing overflows at 320 pixels", async () => {
  await page.setViewport({ width: 320, height: 640 });
  await open("/");
  await askTimes(1);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  await page.click("button[aria-label='Open the sidebar']");
  await page.waitForSelector("dialog[open][aria-label=Sidebar]");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.querySelector("dialog[open]") === null, patience);
});

test("a conversation is printed completely", async () => {
  await open("/");
  await askTimes(4);
  expect(pagesOf(Buffer.from(await page.pdf(patience)))).toBeGreaterThan(1);
});

test("conversations can be searched, and an unknown address shows a message", async () => {
  await open("/");
  await askTimes(1);
  await page.type("input[type=search]", "nothing like it");
  await shows("No conversation mentions “nothing like it”.");
  const response = await open("/nowhere/at/all");
  expect(response?.status()).toBe(404);
  await shows("Page not found");
});
