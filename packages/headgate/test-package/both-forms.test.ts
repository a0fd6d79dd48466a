import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import type { Meter } from "@opentelemetry/api";
import { APICallError } from "ai";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Consumer, makeConsumer, run } from "./consumer.ts";

/** One process may load the package twice: an application requires it, and something that it uses imports it. */
interface Form {
  readonly headgate: typeof import("headgate");
  readonly ai: typeof import("headgate/ai");
  readonly fetch: typeof import("headgate/fetch");
  readonly http: typeof import("headgate/http");
  readonly log: typeof import("headgate/log");
  readonly nest: typeof import("headgate/nest");
  readonly next: typeof import("headgate/next");
  readonly node: typeof import("headgate/node");
  readonly otel: typeof import("headgate/otel");
  readonly document: typeof import("headgate/policy-document");
  readonly testing: typeof import("headgate/testing");
}

const subpaths = {
  headgate: ".",
  ai: "./ai",
  fetch: "./fetch",
  http: "./http",
  log: "./log",
  nest: "./nest",
  next: "./next",
  node: "./node",
  otel: "./otel",
  document: "./policy-document",
  testing: "./testing",
} as const satisfies Record<keyof Form, string>;

let consumer: Consumer;
const forms = {} as { required: Form; imported: Form };

beforeAll(async () => {
  consumer = await makeConsumer("both", ["@nestjs/common", "@opentelemetry/api", "ioredis"]);
  const packed = path.join(consumer.folder, "node_modules/headgate");
  const require = createRequire(path.join(packed, "package.json"));
  const required: Record<string, unknown> = {};
  const imported: Record<string, unknown> = {};
  for (const [name, subpath] of Object.entries(subpaths)) {
    const target = consumer.manifest.exports[subpath];
    if (typeof target !== "object") throw new Error(`${subpath} leads to no module`);
    required[name] = require(target.require.default);
    imported[name] = await import(/* @vite-ignore */ pathToFileURL(path.join(packed, target.default)).href);
  }
  Object.assign(forms, { required, imported });
});

const pairs = [
  { own: "required", other: "imported" },
  { own: "imported", other: "required" },
] as const;

const caller = () => "ann";
const layersOf = (limits: string) => [{ name: "user", key: (user: string) => `user:${user}`, limits }];

it("one process loads two forms of the package", () => {
  expect(forms.required.headgate.createLimiter).not.toBe(forms.imported.headgate.createLimiter);
});

describe.each(pairs)("a limiter that is $own", ({ own, other }) => {
  let names = 0;
  function limiterOf(limits: string, options: object = {}) {
    names += 1;
    return forms[own].headgate.createLimiter({
      name: `${own}-${names}`,
      layers: layersOf(limits),
      ...options,
    });
  }

  it("works with an adapter of the other form, which sends the same refusal", async () => {
    const clock = forms[own].testing.fakeClock();
    const answers = [own, other].map(async (form) => {
      const guard = forms[form].fetch.rateLimit(limiterOf("1/minute", { clock }), { caller });
      const guarded = guard(() => new Response("fine"));
      await guarded(new Request("http://chat/"));
      const refused = await guarded(new Request("http://chat/"));
      const { instance: _, ...problem } = (await refused.json()) as Record<string, unknown>;
      return { status: refused.status, problem, fields: [...refused.headers] };
    });
    const [same, crossed] = await Promise.all(answers);
    expect(crossed).toEqual(same);
    expect(crossed?.status).toBe(429);
  });

  it("guards a request together with a limiter of the other form: the fields name the limits of both", async () => {
    const first = limiterOf("9/minute");
    const second = forms[other].headgate.createLimiter({ name: `${own}-inner`, layers: layersOf("3/hour") });
    const inner = forms[other].fetch.rateLimit(second, { caller })((request) => {
      expect(forms[own].fetch.admissionOf(request, second)?.admitted).toBe(true);
      return new Response("fine");
    });
    const guarded = forms[own].fetch.rateLimit(first, { caller })(inner);
    const response = await guarded(new Request("http://chat/"));
    expect(response.headers.get("RateLimit-Policy")).toContain("q=9");
    expect(response.headers.get("RateLimit-Policy")).toContain("q=3");
  });

  it("guards a request to Node's server together with a limiter of the other form", async () => {
    const outer = forms[own].node.rateLimit(limiterOf("9/minute"), { caller });
    const inner = forms[other].node.rateLimit(limiterOf("3/hour"), { caller });
    const server = createServer(outer(inner((_, response) => response.end("fine"))));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.close();
    expect(response.headers.get("RateLimit-Policy")).toContain("q=9");
    expect(response.headers.get("RateLimit-Policy")).toContain("q=3");
  });

  it("is charged once if both forms guard a request with it, and reports this mistake once", async () => {
    const onError = vi.fn();
    const limiter = limiterOf("2/minute", { onError });
    const inner = forms[other].fetch.rateLimit(limiter, { caller })(() => new Response("fine"));
    const guarded = forms[own].fetch.rateLimit(limiter, { caller })(inner);
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await guarded(new Request("http://chat/"))).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(onError.mock.calls.map(([error]) => (error as { code: string }).code)).toEqual([
      "guard-misplaced",
    ]);
  });

  it("reports once that an adapter of the other form can never find an address", () => {
    const { clientAddress } = forms[other].next;
    const mount = () => forms[own].next.rateLimit(limiterOf("1/minute"), { caller: clientAddress as never });
    expect(mount).toThrow(/knows no/);
  });

  it("guards a function of the other form, and both forms recognise the error", async () => {
    const guarded = forms[other].headgate.guard(limiterOf("1/minute"), () => "done", { caller });
    await guarded();
    const error = await guarded().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(forms[own].headgate.RefusedError);
    expect(error).toBeInstanceOf(forms[other].headgate.RefusedError);
    expect(error).not.toBeInstanceOf(forms[own].headgate.HeadgateError);
  });

  it("counts in a memory store of the other form, with a clock of the other form", async () => {
    const clock = forms[other].testing.fakeClock();
    const store = forms[other].headgate.memoryStore();
    const limiter = limiterOf("1/minute; 100 tokens/hour; 2 concurrent", { clock, store });
    const first = await limiter.admit("ann", { cost: { tokens: 30 } });
    if (!first.admitted) throw new Error("refused at first");
    expect(await first.extend({ tokens: 20 })).toMatchObject({ admitted: true, granted: { tokens: 20 } });
    await first.end({ tokens: 10 });
    expect((await limiter.admit("ann")).admitted).toBe(false);
    clock.advance(60_000);
    const next = await limiter.admit("ann", { cost: { tokens: 90 } });
    expect(next.admitted).toBe(true);
    await limiter.override("ann", { limits: "5/minute" });
    expect((await limiter.peek("ann")).limits.map(({ quota }) => quota)).toContain(5);
  });

  it("accepts limits and policies that the other form has read", async () => {
    const limiter = limiterOf("1/minute");
    limiter.setPolicy([{ name: "user", limits: forms[other].headgate.parseLimits("2/minute") }]);
    expect((await limiter.peek("ann")).limits.map(({ quota }) => quota)).toEqual([2]);
    const document = { layers: [{ name: "user", limits: "3/minute" }] };
    limiter.setPolicy(forms[other].document.layersOf(document, { keys: { user: caller } }));
    expect((await limiter.peek("ann")).limits.map(({ quota }) => quota)).toEqual([3]);
    expect(forms[other].document.writePolicyDocument(limiter.policy).layers[0]?.limits).toBe("3/minute");
  });

  it("is observed and logged by the other form", async () => {
    const limiter = limiterOf("1/minute");
    const counts: unknown[] = [];
    const stop = forms[other].otel.observe(limiter, { meter: meterInto(counts) });
    const lines: string[] = [];
    const log = forms[other].log.decisionLog({ writer: { write: async (text) => void lines.push(text) } });
    log.record(limiter);
    await limiter.admit("ann");
    await log.close();
    stop();
    expect(counts).toContainEqual(expect.objectContaining({ "headgate.limiter": limiter.name }));
    expect(lines.join("")).toContain('"type":"decision"');
  });

  it("gives admissions that the other form meters and ends with the stream", async () => {
    const limiter = limiterOf("100 tokens/hour");
    const admission = await limiter.admit("ann", { cost: { tokens: 60 } });
    if (!admission.admitted) throw new Error("refused at first");
    const metered = forms[other].ai.meter(admission);
    const { stream } = await metered
      .model(scriptedModel({ says: ["one", "two"], usage: { input: 5, output: 2 } }))
      .doStream({ prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }] });
    const bound = metered.bind(stream as ReadableStream<unknown>);
    for await (const _ of bound);
    await metered.ended;
    expect((await limiter.peek("ann")).limits[0]?.remaining).toBe(93);
  });

  it("shares one provider account with models of the other form", async () => {
    const clock = forms[own].testing.fakeClock();
    const limiter = limiterOf("100/minute", { clock });
    const busy = new APICallError({
      message: "Too many requests",
      url: "http://provider",
      requestBodyValues: {},
      statusCode: 429,
      responseHeaders: { "retry-after": "3600" },
      responseBody: "{}",
    });
    const model = { ...scriptedModel(), doGenerate: () => Promise.reject(busy) };
    const ask = { prompt: [] };
    const governed = (form: Form) =>
      form.ai.governedModel(model, limiter, { caller: "ann", maxWaitMs: 1000, clock });
    await expect(governed(forms[own]).doGenerate(ask)).rejects.toThrow("3600 s");
    const called = vi.spyOn(model, "doGenerate");
    const error = await Promise.resolve(governed(forms[other]).doGenerate(ask)).catch(
      (reason: unknown) => reason,
    );
    expect(called).not.toHaveBeenCalled();
    expect(error).toBeInstanceOf(forms[own].ai.ProviderRefusedError);
  });

  it("warns about a limiter of the other form with the same store and name but other limits", async () => {
    const store = forms[own].headgate.memoryStore();
    const onWarning = vi.fn();
    const one = forms[own].headgate.createLimiter({
      name: `${own}-twin`,
      layers: layersOf("5/minute"),
      store,
    });
    const two = forms[other].headgate.createLimiter({
      name: `${own}-twin`,
      layers: layersOf("9/minute"),
      store,
      onWarning,
    });
    expect(onWarning.mock.calls.flat().join()).toContain("share a store and have different limits");
    await Promise.all([one.close(), two.close()]);
  });

  it("is counted together with limiters of the other form that are created for each request", async () => {
    const onWarning = vi.fn();
    const made = Array.from({ length: 20 }, (_, n) =>
      forms[n % 2 === 0 ? own : other].headgate.createLimiter({
        name: `${own}-many`,
        layers: layersOf("5/minute"),
        onWarning,
      }),
    );
    expect(onWarning.mock.calls.flat().join()).toContain("have been created and not closed");
    await Promise.all(made.map((limiter) => limiter.close()));
  });
});

/** A meter of OpenTelemetry that keeps the attributes of each count. */
function meterInto(counts: unknown[]): Meter {
  const instrument = {
    add: (_: number, attributes: unknown) => counts.push(attributes),
    record() {},
    addCallback() {},
    removeCallback() {},
  };
  const make = () => instrument;
  const meter = {
    createCounter: make,
    createHistogram: make,
    createUpDownCounter: make,
    createObservableGauge: make,
    createObservableCounter: make,
    createObservableUpDownCounter: make,
    addBatchObservableCallback() {},
    removeBatchObservableCallback() {},
  };
  return meter as unknown as Meter;
}

describe.each(pairs)("errors of the form that is $own", ({ own, other }) => {
  function errorOf(run: () => unknown): unknown {
    try {
      run();
    } catch (error) {
      return error;
    }
    throw new Error("it threw nothing");
  }

  it("are instances of the other form's classes", () => {
    const mistake = errorOf(() => forms[own].headgate.parseLimits("often"));
    expect(mistake).toBeInstanceOf(forms[other].headgate.HeadgateError);
    const exception = new forms[own].nest.RefusedException({
      status: 429,
      problem: { detail: "wait" },
    } as never);
    expect(exception).toBeInstanceOf(forms[other].nest.RefusedException);
  });

  it("for a refused body are instances of the other form's classes too", async () => {
    const request = new Request("http://chat/", { method: "POST", body: "{" });
    const error = await forms[own].http.boundedJson(request).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(forms[other].http.JsonBodyError);
  });

  it("are not instances of a class that is derived from theirs", () => {
    class Mine extends forms[other].headgate.HeadgateError {}
    expect(errorOf(() => forms[own].headgate.parseLimits("often"))).not.toBeInstanceOf(Mine);
    expect(new Mine("limit-invalid", "mine")).toBeInstanceOf(Mine);
    expect(new Mine("limit-invalid", "mine")).toBeInstanceOf(forms[own].headgate.HeadgateError);
  });
});

describe("a store opened by URL", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.remove());

  it("has one connection for both forms, which closes when the last limiter is closed", async () => {
    const clients = () =>
      server
        .command("client", "list")
        .split("\n")
        .filter((line) => !line.includes("cmd=client"));
    const made = [forms.required, forms.imported].map(({ headgate }) =>
      headgate.createLimiter({ name: "connected", layers: layersOf("1/minute"), store: server.url }),
    );
    const [first, second] = await Promise.all(made.map((limiter) => limiter.admit("ann")));
    expect([first?.admitted, second?.admitted].sort()).toEqual([false, true]);
    expect(clients().filter(Boolean)).toHaveLength(1);
    await made[0]?.close();
    expect((await made[1]?.admit("ann"))?.admitted).toBe(false);
    await made[1]?.close();
    await expect.poll(() => clients().filter(Boolean)).toHaveLength(0);
  });

  it("does not treat one caller's unreadable state as an outage, whichever form opened the store", async () => {
    const policy = { name: "spoiled", layers: layersOf("3/hour"), store: server.url, onError() {} };
    const opener = forms.required.headgate.createLimiter(policy);
    const limiter = forms.imported.headgate.createLimiter(policy);
    await opener.admit("mallory");
    for (const key of server.command("keys", "*mallory*").trim().split("\n"))
      server.command("set", key, "nonsense");
    for (let n = 0; n < 20; n += 1) expect((await limiter.admit("mallory")).decidedBy).toBe("outage-policy");
    expect(limiter.status()).toMatchObject({ state: "closed" });
    expect((await limiter.admit("alice")).decidedBy).toBe("store");
    await Promise.all([opener.close(), limiter.close()]);
  });
});

it("both forms have the same time, even if the wall clock is set in between", async () => {
  const program = `
    import { createRequire } from "node:module";
    import { createLimiter, memoryStore } from "headgate";
    const required = createRequire(import.meta.url)("headgate");
    const store = memoryStore();
    const policy = { name: "chat", layers: [{ name: "user", key: (user) => user, limits: "1/minute" }], store };
    const first = await createLimiter(policy).admit("ann");
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    const second = await required.createLimiter(policy).admit("ann");
    console.log(first.admitted, second.admitted, second.retryAfterSeconds);`;
  const words = ["--input-type=module", "--eval", program];
  const outcome = await run(consumer.folder, process.execPath, words);
  expect(outcome).toEqual({ code: 0, stdout: "true false 60\n", stderr: "" });
});
