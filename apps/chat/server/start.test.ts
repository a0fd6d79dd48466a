import { type ChildProcess, execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createLimiter } from "headgate";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS } from "../testing/database.ts";
import { buildService, type ServiceProcess, startServiceProcess } from "../testing/service-process.ts";
import { runCreditCommand } from "./commands/credit.ts";
import { holderFileOf } from "./database/folder-lock.ts";
import { startService } from "./start.ts";

vi.setConfig({ testTimeout: DATABASE_START_MS, hookTimeout: DATABASE_START_MS });

const root = fileURLToPath(new URL("../../..", import.meta.url));
const children: ChildProcess[] = [];
let folder: string;

beforeAll(async () => {
  await buildService();
  folder = mkdtempSync(path.join(tmpdir(), "headgate-start-"));
});

afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process that runs another in a network and under a host name of its own, as a container does. */
const NAMESPACES = ["unshare", "--map-root-user", "--net", "--uts"];

function run(env: Record<string, string>, wrapper: readonly string[] = [], started?: string): ServiceProcess {
  const service = startServiceProcess(
    { DATABASE_URL: `pglite://${folder}`, ...env },
    { compiledFolder: path.join(folder, "compiled"), wrapper, ...(started === undefined ? {} : { started }) },
  );
  children.push(service.child);
  return service;
}

describe("a failed start", () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      "a limit",
      { RATE_LIMIT_CHAT_PER_MIN: "banana" },
      /^RATE_LIMIT_CHAT_PER_MIN is "banana": it should be .*\.\n$/,
    ],
    [
      "several variables",
      { PORT: "x", RATE_LIMIT_CHAT_PER_HOUR: "banana" },
      /^RATE_LIMIT_CHAT_PER_HOUR .*\.\nPORT is "x": .*\.\n$/,
    ],
    [
      "half a model",
      { LLM_BASE_URL: "http://127.0.0.1:1/v1" },
      /^LLM_BASE_URL is set but LLM_MODEL is not\. .*\n$/,
    ],
    [
      "a missing database",
      { DATABASE_URL: "postgres://someone:hunter2@127.0.0.1:1/chat" },
      /^DATABASE_URL: cannot use the PostgreSQL server at 127\.0\.0\.1:1: .*\n$/,
    ],
    [
      "a folder that cannot be",
      { DATABASE_URL: "pglite:///dev/null/data" },
      /^DATABASE_URL: cannot use the folder \/dev\/null\/data: .*\n$/,
    ],
    [
      "a store that is not known",
      { DATABASE_URL: "pglite://memory", RATE_LIMIT_STORAGE_URI: "carrier-pigeon://hunter2" },
      /^RATE_LIMIT_STORAGE_URI: .*\n$/,
    ],
  ])("because of %s is reported in sentences, without a stack", async (_case, env, sentence) => {
    const { code, stderr } = await run(env).exited;
    expect(stderr).toMatch(sentence);
    expect(code).toBe(1);
    expect(stderr).not.toMatch(/\n\s+at |node:internal|hunter2@/);
  });

  test("a port that is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, stderr } = await run({ PORT: String(port), DATABASE_URL: "pglite://memory" }).exited;
    expect([code, stderr]).toEqual([
      1,
      `PORT: ${port} on 127.0.0.1 is in use by another program. Stop that program, or set PORT to another number.\n`,
    ]);
    await new Promise((resolve) => other.close(resolve));
  });
});

test("an embedded database survives restarts, is locked by one process, and accepts commands while the service runs", async () => {
  const price = { MODEL_PRICE_INPUT_PER_MTOK: "1", MODEL_PRICE_OUTPUT_PER_MTOK: "4" };
  const env = { DATABASE_URL: `pglite://${folder}` };
  const first = run(price);
  const url = await first.ready;
  expect(statSync(holderFileOf(folder)).mode & 0o777).toBe(0o600);
  const signedUp = await fetch(`${url}/auth/sign-up/email`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: "ada@example.com", password: "correct horse battery", name: "Ada" }),
  });
  const cookie = signedUp.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
  const balance = async (at: string) =>
    (await (await fetch(`${at}/me`, { headers: { Cookie: cookie } })).json()).credit.balance;

  // A second service reports which process has the folder.
  const second = await run(price).exited;
  expect(second.code).toBe(1);
  expect(second.stderr).toBe(
    `DATABASE_URL: the embedded database in ${folder} is in use by process ${first.child.pid} on ${hostname()}. Only one process can use it. ` +
      "Stop that process, or set another folder (DATABASE_URL=pglite://another-folder) or a PostgreSQL server.\n",
  );

  // The command asks the service that holds the folder.
  expect(await runCreditCommand(["grant", "Ada@example.com", "5.00"], env)).toBe(
    `Ada@example.com has 6.00 GBP. The next allowance of 1.00 GBP comes on ${nextMonth()}.`,
  );
  expect(await balance(url)).toBe(6_000_000);
  await expect(runCreditCommand(["grant", "nobody@example.com", "5"], env)).rejects.toThrow(
    "There is no account with the e-mail nobody@example.com.",
  );
  const holder = JSON.parse(readFileSync(holderFileOf(folder), "utf8"));
  expect((await fetch(`${holder.operator.url}/order`, { method: "POST", body: "{}" })).status).toBe(403);

  // A killed process leaves its details behind, but no lock, because the kernel's lock ended with the process.
  first.child.kill("SIGKILL");
  await first.exited;
  expect(await runCreditCommand(["set", "ada@example.com", "0"], env)).toMatch(
    /^ada@example\.com has 0\.00 GBP\./,
  );
  writeFileSync(holderFileOf(folder), JSON.stringify(holder));
  const third = run(price);
  expect(await balance(await third.ready)).toBe(0);
  third.child.kill("SIGTERM");
  const stopped = await third.exited;
  expect(stopped.code).toBe(0);
  expect(stopped.stdout).toMatch(/"msg":"stopped"/);
  expect(() => statSync(holderFileOf(folder))).toThrow();
});

test("the image contains everything needed: the service, its page, its tables and the operator's commands", async () => {
  const image = path.join(folder, "image");
  const dockerfile = readFileSync(path.join(root, "Dockerfile"), "utf8");
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  const copies = [...lastStage.matchAll(/^COPY (?:--from=build \/app\/)?(\S+) (\S+)$/gm)];
  expect(copies).toHaveLength(5);
  for (const [, from = "", to = ""] of copies) {
    cpSync(path.join(root, from), path.join(image, to), { recursive: true, dereference: true });
  }
  const started = path.join(image, "apps/chat/server/dist/main.js");
  const own = path.join(folder, "image-data");
  const service = run({ DATABASE_URL: `pglite://${own}` }, [], started);
  const url = await service.ready;
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  expect((await fetch(url)).headers.get("Content-Type")).toMatch(/^text\/html/);
  const account = path.join(image, "apps/chat/server/dist/account.js");
  const { stdout } = await promisify(execFile)(process.execPath, [account, "invite", "ada@example.com"], {
    env: { DATABASE_URL: `pglite://${own}`, PUBLIC_URL: "https://chat.example.com" },
  });
  expect(stdout).toMatch(/\/reset-password#[\w-]{32}\n/);
  service.child.kill("SIGTERM");
  expect((await service.exited).code).toBe(0);
});

describe("one folder and several processes", () => {
  const inUse = (own: string) =>
    new RegExp(
      `^DATABASE_URL: the embedded database in ${own} is in use by process \\d+ on \\S+\\. Only one process`,
    );

  test("of ten processes that start at the same moment, one gets the folder", async () => {
    const own = path.join(folder, "raced");
    const runs = Array.from({ length: 10 }, () => run({ DATABASE_URL: `pglite://${own}` }));
    const outcomes = await Promise.all(
      runs.map(({ ready, exited }) =>
        Promise.race([ready.then(() => "ready"), exited.then(({ stderr }) => stderr)]),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "ready")).toHaveLength(1);
    for (const outcome of outcomes) if (outcome !== "ready") expect(outcome).toMatch(/is in use/);
  });

  test("a second process in another network cannot open the folder, and a recreated container can", async () => {
    const own = path.join(folder, "shared");
    const first = run({ DATABASE_URL: `pglite://${own}` });
    await first.ready;
    // As in another container, which cannot reach the first process or its host name.
    const second = await run({ DATABASE_URL: `pglite://${own}` }, NAMESPACES).exited;
    expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(inUse(own))]);
    first.child.kill("SIGKILL");
    await first.exited;
    const third = run({ DATABASE_URL: `pglite://${own}` }, NAMESPACES);
    await third.ready;
    third.child.kill("SIGTERM");
    expect((await third.exited).code).toBe(0);
  });
});

test("a service that is told to stop while it waits for its database ends at once, without an error", async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const isWaiting = new Promise<void>((resolve) => silent.once("connection", () => resolve()));
  const { child, exited } = run({ DATABASE_URL: `postgres://someone@127.0.0.1:${port}/chat` });
  await isWaiting;
  child.kill("SIGTERM");
  // By itself, the start would fail after five seconds.
  expect(await exited).toEqual({ code: 0, stdout: "", stderr: "" });
  silent.close();
});

describe("the limits' store", () => {
  test("is awaited before the service listens", async () => {
    const limiter = createLimiter({
      name: "chat",
      layers: [{ name: "ip", key: ({ address }: { address: string }) => address, limits: "5/minute" }],
    });
    let asked: (() => void) | undefined;
    let answer = () => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const ready = () =>
      new Promise<void>((resolve) => {
        answer = resolve;
        asked?.();
      });
    let started = false;
    const starting = startService({
      env: { DATABASE_URL: "pglite://memory", LOG_LEVEL: "silent", PORT: "0" },
      chatLimiter: { ...limiter, ready },
    }).then((service) => {
      started = true;
      return service;
    });
    await isAsked;
    // Long enough for the service to listen, if it did.
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(started).toBe(false);
    answer();
    const service = await starting;
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    await service.close();
  });

  test("that does not answer does not prevent the start, is logged, and is reported as down", async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => probe.close(resolve));
    const service = run({
      DATABASE_URL: "pglite://memory",
      RATE_LIMIT_STORAGE_URI: `redis://someone:hunter2@127.0.0.1:${port}/0`,
    });
    const url = await service.ready;
    const { stores } = await (await fetch(`${url}/ready`)).json();
    const away = { name: "redis", state: expect.stringMatching(/^(down|recovering)$/) };
    expect(stores).toMatchObject({ chat: away, "sign-in": away, bodies: { name: "memory", state: "ok" } });
    service.child.kill("SIGTERM");
    const { code, stdout } = await service.exited;
    expect(code).toBe(0);
    const line = stdout.split("\n").find((text) => text.includes("the limits' store does not answer"));
    expect(line).toContain('The store \\"redis\\" was not ready within 5000 ms: ');
    expect(line).toContain("ECONNREFUSED");
    expect(stdout).not.toContain("hunter2");
  });
});

test.each([
  [["grant", "ada@example.com"], /^Usage:/],
  [["grant", "ada@example.com", "five"], /^"five" is not an amount: it should be a decimal number/],
  [["steal", "ada@example.com", "5"], /^Usage:/],
  [[], /^Usage:/],
])("the credit command reports what is wrong with %j", async (words, message) => {
  await expect(runCreditCommand(words, { DATABASE_URL: `pglite://${folder}` })).rejects.toThrow(message);
});

test("the credit command reports that it cannot reach a database in memory", async () => {
  const env = { DATABASE_URL: "pglite://memory" };
  await expect(runCreditCommand(["show", "ada@example.com"], env)).rejects.toThrow(
    /only the running service can reach that database/,
  );
});

function nextMonth(): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString().slice(0, 10);
}

test("sends a signed webhook when a caller has nearly used up a limit of the chat", async () => {
  let take: (message: { signature: unknown; body: string }) => void = () => {};
  const taken = new Promise<{ signature: unknown; body: string }>((resolve) => {
    take = resolve;
  });
  const receiver = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      response.writeHead(204).end();
      take({ signature: request.headers["webhook-signature"], body });
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = receiver.address() as AddressInfo;
  const service = await startService({
    env: {
      DATABASE_URL: "pglite://memory",
      LOG_LEVEL: "silent",
      PORT: "0",
      RATE_LIMIT_CHAT_PER_MIN: "1",
      LIMIT_WEBHOOK_URL: `http://127.0.0.1:${port}/hooks`,
      LIMIT_WEBHOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    },
  });
  const message = { id: "webhook-message-1", role: "user", parts: [{ type: "text", text: "Hello" }] };
  const answered = await fetch(new URL("/chat/message", service.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: [message] }),
  });
  expect(answered.status).toBe(200);
  await answered.text();
  const { signature, body } = await taken;
  expect(signature).toMatch(/^v1,/);
  expect(JSON.parse(body)).toMatchObject({
    type: "limit.near",
    data: { limiter: "chat", notices: [{ limit: "user-per-minute", remaining: 0, outcome: "near" }] },
  });
  await service.close();
  receiver.close();
});
