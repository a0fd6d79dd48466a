import { readFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { freePort } from "@headgate/test-servers/free-port.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import { startTestService, type TestService } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "a-token-of-at-least-32-characters-";
const bearer = { headers: { Authorization: `Bearer ${TOKEN}` } };

let database: OpenDatabase;
let service: TestService | undefined;
let provider: OpenAiServer | undefined;
beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);
afterAll(() => database.close());
afterEach(async () => {
  await service?.close();
  await provider?.close();
  service = undefined;
  provider = undefined;
});

async function start(env: Record<string, string>): Promise<TestService> {
  service = await startTestService({ database, env, answerLimits: { retries: 0 } });
  return service;
}

/** Returns the values of a metric, by its labels. */
function valuesOf(text: string, name: string): Record<string, number> {
  const lines = text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm);
  return Object.fromEntries(
    [...lines].flatMap(([, of, labels = "", value]) =>
      of === name ? [[labels.replaceAll('"', ""), Number(value)]] : [],
    ),
  );
}

describe("GET /metrics", () => {
  test("reports decisions, use, places and answers to clients with the token", async () => {
    provider = await startOpenAiServer({ text: "one two three" });
    const { client, url } = await start({
      METRICS_TOKEN: TOKEN,
      LLM_BASE_URL: provider.url,
      LLM_MODEL: "test-model",
      RATE_LIMIT_CHAT_PER_MIN: "2",
      RATE_LIMIT_CHAT_TOKENS_PER_DAY: "100000",
    });
    const person = client({ "X-User-Id": `u-${crypto.randomUUID()}` });
    for (let n = 0; n < 3; n += 1) await person.ask("hello");

    const response = await client()("/metrics", bearer);
    expect([response.status, response.headers.get("Content-Type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    const text = await response.text();
    const decisions = valuesOf(text, "headgate_decisions_total");
    const refused = Object.entries(decisions).filter(([labels]) =>
      labels.includes("headgate_outcome=refused"),
    );
    expect(refused.map(([labels, count]) => [/headgate_limit=([\w-]+)/.exec(labels)?.[1], count])).toEqual([
      ["user-per-minute", 1],
    ]);
    const used = valuesOf(text, "headgate_used_total");
    expect(Object.keys(used).some((labels) => labels.includes("headgate_unit=tokens"))).toBe(true);
    expect(valuesOf(text, "headgate_reservations")).toMatchObject({ "headgate_limiter=chat": 0 });
    const output = Object.entries(valuesOf(text, "gen_ai_client_token_usage_count")).find(([labels]) =>
      labels.includes("gen_ai_token_type=output"),
    );
    expect(output?.[1]).toBe(2);
    expect(output?.[0]).toContain("gen_ai_request_model=test-model");
    // The metrics name no caller.
    expect(text).not.toContain("u-");
    for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: `Bearer ${TOKEN}x` }]) {
      const refusedAtDoor = await fetch(`${url}/metrics`, { headers });
      expect(refusedAtDoor.status).toBe(401);
      expect(await refusedAtDoor.text()).not.toContain("headgate_");
    }
  });

  test("counts an answer that fails", async () => {
    provider = await startOpenAiServer({ mode: "fail-500" });
    const { client } = await start({
      METRICS_TOKEN: TOKEN,
      LLM_BASE_URL: provider.url,
      LLM_MODEL: "test-model",
    });
    await client().ask("hello");
    const text = await (await client()("/metrics", bearer)).text();
    const failed = Object.entries(valuesOf(text, "gen_ai_client_operation_duration_count")).filter(
      ([labels]) => labels.includes("error_type=_OTHER"),
    );
    expect(failed.map(([, count]) => count)).toEqual([1]);
  });

  test("is served on a separate port, which has no other routes", async () => {
    const port = await freePort();
    const { client, url } = await start({ METRICS_PORT: String(port) });
    const foreign = await new Promise((resolve) =>
      get({ port, host: "127.0.0.1", path: "/metrics", headers: { Host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }),
    );
    expect(foreign).toBe(421);
    await client().ask("What is £30,000 after tax?");
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toContain("headgate_decisions_total");
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    await service?.close();
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
    service = undefined;
  });

  test("accepts the scheme in any case, and rejects a token that no header can carry", async () => {
    const { client } = await start({ METRICS_TOKEN: TOKEN });
    const lower = { headers: { Authorization: `bearer ${TOKEN}` } };
    expect((await client()("/metrics", lower)).status).toBe(200);
    await service?.close();
    service = undefined;
    await expect(start({ METRICS_TOKEN: "ж".repeat(32) })).rejects.toThrow(/METRICS_TOKEN .* visible ASCII/);
    await expect(start({ METRICS_PORT: "3000", PORT: "3000" })).rejects.toThrow(
      /METRICS_PORT and PORT are both 3000/,
    );
  });

  test("does not exist by default", async () => {
    const { client } = await start({});
    expect((await client()("/metrics", bearer)).status).toBe(404);
  });

  test("a metrics port in use prevents the start, and the message names the variable", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    await expect(start({ METRICS_PORT: String(port) })).rejects.toThrow(
      new RegExp(`METRICS_PORT: ${port} .* is in use`),
    );
    taken.close();
  });
});

describe("dashboards and alerts", () => {
  test("use only metrics that the service has", async () => {
    provider = await startOpenAiServer({ text: "one two three" });
    const { client } = await start({
      METRICS_TOKEN: TOKEN,
      LLM_BASE_URL: provider.url,
      LLM_MODEL: "test-model",
      RATE_LIMIT_CHAT_PER_MIN: "1",
    });
    await client().ask("hello");
    await client().ask("hello");
    const text = await (await client()("/metrics", bearer)).text();
    const described = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
    // Only a shared store has these metrics, and only once something has failed.
    for (const name of ["failures_total", "dropped_total", "unsent_changes", "processes"])
      described.add(`headgate_store_${name}`);
    described.add("headgate_overshoot_total");
    for (const file of ["grafana-dashboard.json", "prometheus-alerts.yaml"]) {
      const read = readFileSync(new URL(`../../../../deploy/${file}`, import.meta.url), "utf8");
      const asked = [
        ...read.matchAll(/\b((?:headgate|gen_ai_client)_\w+?)(?:_bucket|_sum|_count)?[{[]/g),
      ].map(([, name]) => name);
      expect(asked.length, file).toBeGreaterThan(5);
      expect(
        [...new Set(asked)].filter((name) => !described.has(name)),
        file,
      ).toEqual([]);
    }
  });
});
