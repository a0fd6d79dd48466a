import {
  type BrowserContext,
  type BrowserContextOptions,
  test as base,
  expect,
  type Page,
} from "@playwright/test";
import { type FakeClock, fakeClock } from "headgate/testing";
import type { Environment } from "../server/config/variables.ts";
import type { OpenDatabase } from "../server/database/connect.ts";
import { startService } from "../server/start.ts";
import { openTestDatabase } from "../testing/database.ts";
import { type OpenAiServer, startOpenAiServer } from "../testing/openai-server.ts";
import { promptModel, TEST_START_MS } from "../testing/service.ts";
import { type Complaint, watchConsole } from "./console-watch.ts";

export type { BrowserContext, Page };
export { expect };

/** The time, for the service and for every page of a test; it is moved, never waited for. */
export interface Time {
  /** The service's own clock: it stands still but for what is asked of it here. */
  service: FakeClock;
  /** Moves both on, as when the machine slept: timers of the page that fell due meanwhile fire once. */
  pass(page: Page, seconds: number): Promise<void>;
  /** Stops the page's clock where it is, so that a countdown can be read to the second. */
  stop(page: Page): Promise<void>;
  /** Has the page's clock, once stopped, run on through so many seconds; the service's comes along. */
  run(page: Page, seconds: number): Promise<void>;
}

export interface RunningService {
  url: string;
  /** As when it crashes or is taken down. */
  stop(): Promise<void>;
  /** At the same address as before, with the same database. */
  startAgain(): Promise<void>;
}

interface Options {
  /** Variables of the service, over those of a fresh start: limits are the defaults of production. */
  variables: Environment;
  /** `model server` is a real model as far as the service can tell: what it says and when is in `modelServer`'s hands. */
  answeredBy: "built-in responder" | "model server";
  /** What a browser may complain of in this test: the failures that the test brings about. */
  expected: readonly Complaint[];
}

interface Fixtures {
  time: Time;
  service: RunningService;
  modelServer: OpenAiServer;
  /** Another browser, with cookies and storage of its own. */
  newVisitor(options?: BrowserContextOptions): Promise<Page>;
  quietConsole: undefined;
}

interface WorkerFixtures {
  database: OpenDatabase;
}

/** What an order to a page may take on a busy machine. */
const ORDER_MS = 5_000;

/** A real browser against the real service, which runs in this process with a clock of the test's. */
export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  variables: [{}, { option: true }],
  answeredBy: ["built-in responder", { option: true }],
  expected: [[], { option: true }],

  // Shared by the tests of a worker: every test has browsers of its own, and its own conversations with them.
  database: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads which fixtures are asked for from the pattern
    async ({}, use) => {
      const database = await openTestDatabase();
      await use(database);
      await database.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],

  // biome-ignore lint/correctness/noEmptyPattern: as above
  modelServer: async ({}, use) => {
    const server = await startOpenAiServer();
    await use(server);
    await server.close();
  },

  // biome-ignore lint/correctness/noEmptyPattern: as above
  time: async ({}, use) => {
    const service = fakeClock(TEST_START_MS);
    /** A page's clock runs by itself: what it has gained is made up for, so that no wait ends there too early. */
    const follow = async (page: Page) => service.set(await page.evaluate(() => Date.now()));
    await use({
      service,
      async pass(page, seconds) {
        await page.clock.fastForward(seconds * 1000);
        await follow(page);
      },
      async stop(page) {
        // It runs on until the order has arrived, and cannot be stopped in its past.
        await page.clock.pauseAt((await page.evaluate(() => Date.now())) + ORDER_MS);
        await follow(page);
      },
      async run(page, seconds) {
        await page.clock.runFor(seconds * 1000);
        await follow(page);
      },
    });
  },

  service: async ({ database, time, variables, answeredBy, modelServer }, use) => {
    const hasOwnDatabase = variables.DATABASE_URL !== undefined;
    const isBuiltIn = answeredBy === "built-in responder";
    const start = (port: string) =>
      startService({
        env: {
          DATABASE_URL: "pglite://memory",
          PORT: port,
          LOG_LEVEL: "silent",
          SHUTDOWN_GRACE_SECONDS: "0",
          ...(isBuiltIn ? {} : { LLM_BASE_URL: modelServer.url, LLM_MODEL: "test-model" }),
          ...variables,
        },
        clock: time.service,
        ...(hasOwnDatabase ? {} : { database }),
        ...(isBuiltIn ? { model: promptModel(time.service, variables) } : {}),
      });
    let running = await start("0");
    const { url } = running;
    await use({
      url,
      stop: () => running.close(),
      async startAgain() {
        running = await start(new URL(url).port);
      },
    });
    await running.close();
  },

  baseURL: async ({ service }, use) => use(service.url),

  context: async ({ context }, use) => {
    await context.clock.install({ time: TEST_START_MS });
    await use(context);
  },

  newVisitor: async ({ browser, baseURL }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ ...(baseURL ? { baseURL } : {}), ...options });
      contexts.push(context);
      await context.clock.install({ time: TEST_START_MS });
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },

  quietConsole: [
    async ({ browser, expected }, use) => {
      const complaints = watchConsole(browser);
      await use(undefined);
      complaints.end();
      expect(complaints.other(expected), "what the browsers complained of").toEqual([]);
    },
    { auto: true },
  ],
});
