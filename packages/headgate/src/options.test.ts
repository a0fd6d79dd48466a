import { describe, expect, it } from "vitest";
import { limitedTool, meter } from "./ai/index.ts";
import { HeadgateError } from "./core/errors.ts";
import { boundedJson, callerAddress, parseTrustProxy, rateLimitFields, refusal } from "./http/index.ts";
import { bearerIdentity, identify, signedCookieIdentity } from "./identity/index.ts";
import { createLimiter, defineLimit, guard, memoryStore, type Refused } from "./index.ts";
import { decisionLog, logFiles } from "./log/index.ts";
import { observe } from "./otel/index.ts";
import { layersOf, readPolicyDocument } from "./policy-document/index.ts";
import { durableObjectStore } from "./stores/durable-object/index.ts";
import { postgresMigration, postgresStore } from "./stores/postgres/index.ts";
import { redisStore } from "./stores/redis/index.ts";
import { adapterSuite, storeSuite } from "./testing/index.ts";
import { webhook } from "./webhook/index.ts";

const layers = [{ name: "ip", key: (ip: string) => ip, limits: "1/minute; 9 tokens/day" }];
const limiter = createLimiter({ name: "options", layers, onWarning: () => {} });
const admitted = await limiter.admit("a");
const refused = (await limiter.admit("a")) as Refused;
const key = new Uint8Array(32);
const source = { peer: "203.0.113.7", headers: {} };
const namespace = { idFromName: () => ({}), get: () => ({}) };
const pool = { query: async () => ({ rows: [] }), connect: async () => ({}) };
const document = readPolicyDocument({ layers: [{ name: "ip", limits: "5/minute" }] });

type Take = (options: never) => unknown;
/** Every function with options, and valid options for it. */
const taking: Record<string, [take: Take, right: object]> = {
  createLimiter: [createLimiter, { name: "options", layers }],
  timeouts: [(timeouts) => createLimiter({ name: "options", layers, timeouts }), { storeMs: 100 }],
  "a layer": [(layer) => createLimiter({ name: "options", layers: [layer] }), layers[0] as object],
  admit: [(options) => limiter.admit("b", options), { cost: { tokens: 1 } }],
  peek: [(options) => limiter.peek("b", options), { layer: "ip" }],
  wait: [(options) => limiter.wait("c", options), { maxWaitMs: 0 }],
  ready: [(options) => limiter.ready(options), { timeoutMs: 100 }],
  reset: [(options) => limiter.reset("b", options), { layer: "ip" }],
  block: [(options) => limiter.block("d", options), { forMs: 1000 }],
  override: [(options) => limiter.override("d", options), { limits: "5/minute" }],
  "observe of a limiter": [(observer) => limiter.observe(observer), { decided() {} }],
  guard: [(options) => guard(limiter, () => 1, options), { caller: () => "a" }],
  memoryStore: [memoryStore, { maxPartitions: 100 }],
  redisStore: [(options) => redisStore("redis://127.0.0.1:1", options), { prefix: "shop:" }],
  postgresStore: [(options) => postgresStore(pool as never, options), { schema: "shop" }],
  postgresMigration: [postgresMigration, { schema: "shop" }],
  durableObjectStore: [(options) => durableObjectStore(namespace as never, options), { object: "shop" }],
  defineLimit: [defineLimit, { quota: 5, windowMs: 60_000 }],
  parseTrustProxy: [(options) => parseTrustProxy("1", options), { ipv6PrefixLength: 56 }],
  boundedJson: [(bounds) => boundedJson("{}", bounds), { bytes: 100 }],
  rateLimitFields: [(options) => rateLimitFields(admitted, options), { fields: "draft-7" }],
  refusal: [(options) => refusal(refused, options), { status: 503 }],
  identify: [identify, { unverifiedHeader: "X-User-Id" }],
  bearerIdentity: [bearerIdentity, { key }],
  signedCookieIdentity: [signedCookieIdentity, { name: "session", secret: "at least sixteen characters" }],
  meter: [(options) => meter(admitted as never, options), { unit: "tokens" }],
  limitedTool: [(options) => limitedTool({ execute: () => 1 } as never, limiter, options), { caller: "a" }],
  decisionLog: [decisionLog, { writer: { write() {} } }],
  logFiles: [(options) => logFiles("/never/written", options), { maxFiles: 3 }],
  webhook: [
    (options) => webhook(limiter, options),
    { url: "https://example.com/hooks", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  ],
  "observe of headgate/otel": [(options) => observe(limiter, options), {}],
  layersOf: [(options) => layersOf(document, options), { keys: { ip: () => "a" } }],
  storeSuite: [storeSuite, { create: () => ({}) }],
  adapterSuite: [adapterSuite, { serve: async () => ({}) }],
};

async function failureOf(take: Take, options: unknown): Promise<Error> {
  try {
    await take(options as never);
  } catch (error) {
    return error as Error;
  }
  throw new Error("It accepted an invalid value.");
}

describe.each(Object.entries(taking))("%s", (_name, [take, right]) => {
  it("accepts valid options", async () => {
    await take(right as never);
  });

  it("throws for an option that does not exist, and names it", async () => {
    const error = await failureOf(take, { ...right, zzz: 1 });
    expect(error).toBeInstanceOf(HeadgateError);
    expect(error.message).toContain('"zzz"');
  });

  it.each([[null], [5], ["text"], [[right]]])("throws for %j instead of an object", async (options) => {
    const error = await failureOf(take, options);
    expect(error).toBeInstanceOf(HeadgateError);
    expect(error.message).not.toMatch(/undefined or null|Cannot read|not a function|"0"/);
  });
});

it.each([
  ["createLimiter", (given: never) => createLimiter({ name: "a", layers, onError: given })],
  ["createLimiter", (given: never) => createLimiter({ name: "a", layers, onWarning: given })],
  ["createLimiter", (given: never) => createLimiter({ name: "a", layers, onDecision: given })],
  ["createLimiter", (given: never) => createLimiter({ name: "a", layers, onOutage: given })],
  ["decisionLog", (given: never) => decisionLog({ writer: { write() {} }, onError: given })],
  ["decisionLog", (given: never) => decisionLog({ writer: { write() {} }, requestId: given })],
  ["bearerIdentity", (given: never) => bearerIdentity({ key, onError: given })],
  ["guard", (given: never) => guard(limiter, () => 1, { caller: () => "a", cost: given })],
  ["guard", (given: never) => guard(limiter, () => 1, { caller: () => "a", used: given })],
])("%s throws for any value that is not a function", (_name, take) => {
  for (const given of [5, "x", {}, null]) expect(() => take(given as never)).toThrow(/must be a function/);
});

describe("an error for an invalid option", () => {
  const made = (options: object) => () => createLimiter({ name: "a", layers, ...options } as never);

  it.each<[string, () => unknown, string]>([
    ["an option of a layer", made({ outage: "admit" }), 'has no option "outage": it is one of a layer'],
    [
      "a misspelt one",
      made({ outgae: "admit" }),
      'has no option "outgae": did you mean "outage", of a layer?',
    ],
    ["limits beside the layers", made({ limits: "5/minute" }), 'no option "limits": it is one of a layer'],
    ["prefix, which name replaced", made({ prefix: "a" }), "it belongs to another library"],
    [
      "a client of Redis",
      made({ store: { call() {}, evalsha() {}, eval() {} } }),
      "Write redisStore(client)",
    ],
    ["a pool of pg", made({ store: { query() {}, connect() {} } }), "Write postgresStore(client)"],
    [
      "the sql of postgres",
      made({ store: Object.assign(() => 1, { unsafe() {} }) }),
      "Write postgresStore(client)",
    ],
    ["a binding", made({ store: namespace }), "Write durableObjectStore(namespace)"],
    ["a store whose methods are none", made({ store: { decide: 1, adjust: 1, reset: 1 } }), "store must be"],
    ["a promise of a store", made({ store: Promise.resolve(memoryStore()) }), "It is a promise"],
    [
      "a signal that is none",
      () => limiter.wait("e", { signal: {} as never }),
      "signal must be an AbortSignal",
    ],
    [
      "a guard of no limiter",
      () => guard({} as never, () => 1, { caller: () => 1 }),
      "guard takes a limiter",
    ],
    ["an observer's misspelt name", () => limiter.observe({ decided() {}, ende() {} } as never), '"ended"'],
    ["a refusal of what was admitted", () => refusal(admitted as never), "refusal takes a refused request"],
    ["fields of nothing", () => rateLimitFields(undefined as never), "rateLimitFields takes"],
    [
      "a trust in its name",
      () => callerAddress(source, "cloudflare" as never),
      'parseTrustProxy("cloudflare")',
    ],
    ["no source", () => callerAddress({} as never), "callerAddress takes { peer, headers }"],
    [
      "a store option of another library",
      () => redisStore("redis://a", { keyPrefix: "a" } as never),
      '"prefix"',
    ],
    ["a client that is none", () => postgresStore({} as never), "postgresStore takes"],
  ])("%s", async (_what, take, message) => {
    expect((await failureOf(take, undefined)).message).toContain(message);
  });

  it("accepts the result of parseTrustProxy", () => {
    expect(callerAddress(source, parseTrustProxy("cloudflare"))).toBe("203.0.113.7");
  });

  it("every store throws the same code for the same mistake", () => {
    const codeOf = (make: () => unknown) => {
      try {
        make();
      } catch (error) {
        return (error as HeadgateError).code;
      }
    };
    const wrong = [redisStore, postgresStore, durableObjectStore] as ((client: unknown) => unknown)[];
    for (const make of wrong)
      for (const client of [undefined, null, 5, {}]) expect(codeOf(() => make(client))).toBe("store-invalid");
    expect(codeOf(() => createLimiter({ name: "a", layers, store: {} as never }))).toBe("store-invalid");
  });
});

it("extend throws for anything except a cost", async () => {
  const open = await createLimiter({ name: "b", layers }).admit("a", { cost: { tokens: 1 } });
  if (!open.admitted) throw new Error("refused");
  for (const cost of [null, 5, "everything", []])
    expect(() => open.extend(cost as never)).toThrow("A cost must be an object");
});
