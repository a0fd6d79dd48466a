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

/** The time of the service and of every page of a test. Tests move it, and never wait. */
export interface Time {
  /** The service's clock, which only moves when a test moves it. */
  service: FakeClock;
  /** Moves both clocks, as after the machine slept: due timers of the page fire once. */
  pass(page: Page, seconds: number): Promise<void>;
  /** Stops the page's clock, so that a countdown can be read exactly. */
  stop(page: Page): Promise<void>;
  /** Runs the stopped page's clock for a number of seconds, and moves the service's clock too. */
  run(page: Page, seconds: number): Promise<void>;
}

export interface RunningService {
  url: string;
  /** Stops the service. */
  stop(): Promise<void>;
  /** Starts the service again, at the same address and with the same database. */
  startAgain(): Promise<void>;
}

interface Options {
  /** Variables of the service. By default, it has the limits of production. */
  variables: Environment;
  /** `model server` looks like a real model to the service. `modelServer` controls what it answers, and when. */
  answeredBy: "built-in responder" | "model server";
  /** Browser errors that this test causes and expects. */
  expected: readonly Complaint[];
}

interface Fixtures {
  time: Time;
  service: RunningService;
  modelServer: OpenAiServer;
  /** Opens another browser, with separate cookies and storage. */
  newVisitor(options?: BrowserContextOptions): Promise<Page>;
  quietConsole: undefined;
}

interface WorkerFixtures {
  database: OpenDatabase;
}

/** How long a command to a page may take on a busy machine. */
const ORDER_MS = 5_000;

/** A real browser and the real service, which runs in this process with the test's clock. */
export const test = base.extend<Options & Fixtures, WorkerFixtures>({
  variables: [{}, { option: true }],
  answeredBy: ["built-in responder", { option: true }],
  expected: [[], { option: true }],

  // The database is shared by the tests of a worker. Every test has its own browsers, and so its own conversations.
  database: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the requested fixtures from the pattern
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
    /** Sets the service's clock to the page's, which runs by itself, so that no wait ends too early. */
    const follow = async (page: Page) => service.set(await page.evaluate(() => Date.now()));
    await use({
      service,
      async pass(page, seconds) {
        await page.clock.fastForward(seconds * 1000);
        await follow(page);
      },
      async stop(page) {
        // The clock runs until the command arrives, and cannot be stopped at an earlier time.
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
