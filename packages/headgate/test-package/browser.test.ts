import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "@playwright/test";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeConsumer } from "./consumer.ts";

/** The system's Chromium; `npm test` finds it and sets the variable. */
const systemChromium = process.env.CHROMIUM_PATH || "/usr/bin/chromium";

const servers: Server[] = [];
let browser: Browser;
let page: Page;
/** The origin of the guarded service, which differs from the page's origin. */
let service: string;

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: systemChromium, args: ["--no-sandbox"] });
  const { folder } = await makeConsumer("browsed");
  const { outputFiles } = await build({
    stdin: { contents: `export * from "headgate/client";`, resolveDir: folder },
    bundle: true,
    format: "iife",
    globalName: "headgate",
    write: false,
  });
  const script = outputFiles[0]?.text ?? "";

  // The server also runs the published package, not its sources.
  const load = (file: string) =>
    import(pathToFileURL(path.join(folder, "node_modules/headgate/dist", file)).href);
  const { createLimiter } = (await load("index.js")) as typeof import("../src/index.ts");
  const { rateLimit } = (await load("adapters/node.js")) as typeof import("../src/adapters/node.ts");
  const layers = [{ name: "user", key: () => "ada", limits: "2/minute" }];
  const guard = rateLimit(createLimiter({ name: "chat", layers, clock: { now: () => 0 } }), {
    caller: () => ({}),
  });
  const guarded = guard((_request, response) => response.end("fine"));
  service = await serve((request, response) => {
    // With this field, a service admits pages of other origins. The guard decides which fields they may read.
    response.setHeader("Access-Control-Allow-Origin", "*");
    guarded(request, response);
  });
  const origin = await serve((_request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>A page</title><script>${script}</script>`);
  });
  page = await browser.newPage();
  await page.goto(origin);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

it("a page of another origin reads the remaining quota, and the wait of a refusal", async () => {
  const read = await page.evaluate(async (url) => {
    const { headgate } = globalThis as unknown as { headgate: typeof import("../src/client/index.ts") };
    const client = headgate.createClient({ share: false });
    const text = await (await client.fetch(url)).text();
    const left = client.quota()?.tightest;
    await client.fetch(url);
    const error = await client.fetch(url).catch((thrown: unknown) => thrown);
    if (!(error instanceof headgate.RateLimitedError)) throw error;
    const { status, retryAfterSeconds, message, problem } = error;
    const field = error.response?.headers.get("retry-after");
    return { text, left, status, retryAfterSeconds, field, message, problem };
  }, service);
  expect(read).toMatchObject({
    text: "fine",
    left: { quota: 2, windowSeconds: 60, remaining: 1 },
    status: 429,
    retryAfterSeconds: 60,
    field: "60",
    problem: { status: 429, retry_after_seconds: 60 },
  });
  expect(read.message).toContain("60");
});
