import { describe, expect, it } from "vitest";
import * as expressAdapter from "./adapters/express.ts";
import * as fastifyAdapter from "./adapters/fastify.ts";
import * as fetchAdapter from "./adapters/fetch.ts";
import * as honoAdapter from "./adapters/hono.ts";
import * as koaAdapter from "./adapters/koa.ts";
import * as nestAdapter from "./adapters/nest.ts";
import * as nextAdapter from "./adapters/next.ts";
import * as nodeAdapter from "./adapters/node.ts";
import { governedModel, limitedTool } from "./ai/index.ts";
import type { Admitted, Refused } from "./core/admission.ts";
import { HeadgateError, type HeadgateErrorCode } from "./core/errors.ts";
import {
  boundedJson,
  callerAddress,
  knownAnswer,
  normalizeAddress,
  parseTrustProxy,
  refusal,
} from "./http/index.ts";
import { bearerIdentity, identify } from "./identity/index.ts";
import { createLimiter, defineLimit, memoryStore } from "./index.ts";
import { decisionLog } from "./log/index.ts";
import { layersOf } from "./policy-document/index.ts";
import { durableObjectStore } from "./stores/durable-object/index.ts";
import { postgresStore } from "./stores/postgres/index.ts";
import { redisStore } from "./stores/redis/index.ts";
import { adapterSuite, fakeClock, storeSuite } from "./testing/index.ts";

/** A call that untyped JavaScript may make, and the error that it must throw. */
type Mistake = [call: string, run: () => unknown, code: HeadgateErrorCode, message: string];

// biome-ignore lint/suspicious/noExplicitAny: the calls below have wrong types on purpose.
const wrong = (value: unknown): any => value;

const limits = "5/minute; 100 tokens/day";
const layer = { name: "user", key: (user: string) => user, limits };
const limiter = createLimiter({ name: "wrong-arguments", layers: [layer] });
const madeWith = (options: object) => () =>
  createLimiter(wrong({ name: "chat", layers: [layer], ...options }));
const madeOf = (options: object) => () =>
  createLimiter(wrong({ name: "chat", layers: [{ ...layer, ...options }] }));
const admitted = () => limiter.admit("ann") as Admitted;
const refused = () => {
  const strict = createLimiter({ name: "strict", layers: [{ ...layer, limits: "blocked" }] });
  return strict.admit("ann") as Refused;
};
const tool = { execute: () => "found" };
const model = { specificationVersion: "v4", provider: "a", modelId: "b", doGenerate() {}, doStream() {} };
const namespace = { idFromName() {}, get() {} };
const peer = "203.0.113.7";

const ofLimiters: Mistake[] = [
  ["createLimiter(list)", () => createLimiter(wrong([])), "option-invalid", "it got an empty list."],
  [
    "createLimiter(promise)",
    () => createLimiter(wrong(Promise.resolve({}))),
    "option-invalid",
    "it got a promise.",
  ],
  ["layers: {}", madeWith({ layers: {} }), "policy-invalid", "layers must be a list of at least one layer"],
  [
    "timeouts: 5",
    madeWith({ timeouts: 5 }),
    "option-invalid",
    "timeouts of createLimiter must be an object such as { storeMs: 250 }, got 5.",
  ],
  [
    "store: memoryStore",
    madeWith({ store: memoryStore }),
    "store-invalid",
    'It is the function "memoryStore": call it.',
  ],
  [
    "limits: {}",
    madeOf({ limits: {} }),
    "policy-invalid",
    'Layer "user" needs limits, such as "5/minute; 60/hour", got an object.',
  ],
  ["limits: promise", madeOf({ limits: Promise.resolve(limits) }), "policy-invalid", "got a promise."],
  [
    "plan with limits",
    madeOf({ plan: () => "free" }),
    "policy-invalid",
    'Layer "user" has plan, so it needs plans such as { free: "500/day" } instead of limits.',
  ],
  [
    "outage: { polcy }",
    madeOf({ outage: { polcy: "local" } }),
    "policy-invalid",
    'has no option "polcy": did you mean "policy"?',
  ],
  [
    "outage: instances of admit",
    madeOf({ outage: { policy: "admit", instances: 5 } }),
    "policy-invalid",
    'got { policy: "admit", instances }.',
  ],
  [
    "defineLimit()",
    () => defineLimit(wrong(undefined)),
    "limit-invalid",
    "The options of defineLimit must be an object",
  ],
  [
    "defineLimit: a time zone that is a bigint",
    () =>
      defineLimit(
        wrong({ quota: 5, windowMs: 86_400_000, algorithm: "fixed-window", calendar: "day", timeZone: 5n }),
      ),
    "limit-invalid",
    "timeZone must be a name such as Europe/London or UTC, got 5n.",
  ],
  [
    "admit(caller, 5)",
    () => limiter.admit("ann", wrong(5)),
    "option-invalid",
    "The options of admit must be an object with cost, id, fingerprint, result, got 5.",
  ],
  [
    "defineLimit({ algoritm })",
    () => defineLimit(wrong({ quota: 5, windowMs: 60_000, algoritm: "fixed-window" })),
    "limit-invalid",
    'defineLimit has no option "algoritm": did you mean "algorithm"?',
  ],
  ["extend()", () => admitted().extend(wrong(undefined)), "cost-invalid", "got undefined."],
  [
    "extend({ atleast })",
    () => admitted().extend(wrong({ tokens: 5, atleast: 3 })),
    "cost-invalid",
    'extend has no option "atleast": did you mean "atLeast"?',
  ],
  [
    'end("noting")',
    () => admitted().end(wrong("noting")),
    "cost-invalid",
    'end takes a cost such as { tokens: 1200 }, or "nothing", got "noting".',
  ],
  [
    "overridePrefix without limits",
    () => limiter.overridePrefix({ layer: "user", prefix: "a" }, wrong({})),
    "option-invalid",
    "overridePrefix needs limits as text",
  ],
  [
    "layersOf()",
    () => layersOf(wrong(undefined), { keys: {} }),
    "policy-invalid",
    "layersOf takes a policy that readPolicyDocument has checked, got undefined.",
  ],
];

const ofStores: Mistake[] = [
  [
    "redisStore: clock",
    () => redisStore("redis://localhost", wrong({ clock: 5 })),
    "option-invalid",
    "clock must have now()",
  ],
  [
    "postgresStore: clock",
    () => postgresStore("postgres://localhost", wrong({ clock: 5 })),
    "option-invalid",
    "clock must have now()",
  ],
  [
    "durableObjectStore: clock",
    () => durableObjectStore(wrong(namespace), wrong({ clock: 5 })),
    "option-invalid",
    "clock must have now()",
  ],
  [
    "storeSuite without create",
    () => storeSuite(wrong({})),
    "option-invalid",
    "storeSuite needs create, a function, got undefined.",
  ],
  [
    "adapterSuite without serve",
    () => adapterSuite(wrong({})),
    "option-invalid",
    "adapterSuite needs serve, a function, got undefined.",
  ],
  [
    "decisionLog: clock",
    () => decisionLog({ writer: { write() {} }, clock: wrong(5) }),
    "option-invalid",
    "clock must be an object whose after(ms, run), if it has one, is a function, got 5.",
  ],
  [
    "decisionLog: clock with timers that are no function",
    () => decisionLog({ writer: { write() {} }, clock: wrong({ after: 5 }) }),
    "option-invalid",
    "got an object with after.",
  ],
  [
    "createLimiter: clock with timers that are no function",
    madeWith({ clock: { now: Date.now, after: 5 } }),
    "option-invalid",
    "got an object with now, after.",
  ],
  [
    "fakeClock(text)",
    () => fakeClock(wrong("now")),
    "option-invalid",
    'A fake clock takes milliseconds as a number, got "now".',
  ],
  [
    "advance(text)",
    () => fakeClock().advance(wrong("5")),
    "option-invalid",
    'A fake clock takes milliseconds as a number, got "5".',
  ],
];

const ofHttp: Mistake[] = [
  [
    "callerAddress(request)",
    () => callerAddress(wrong({ socket: { remoteAddress: peer }, headers: {} })),
    "option-invalid",
    "callerAddress takes { peer, headers }, such as",
  ],
  [
    "callerAddress({ per })",
    () => callerAddress(wrong({ per: peer, headers: {} })),
    "option-invalid",
    "got an object with per, headers.",
  ],
  [
    "callerAddress: a peer that is no text",
    () => callerAddress(wrong({ peer: 5, headers: {} })),
    "option-invalid",
    "peer of callerAddress must be an address as text, null or undefined, got 5.",
  ],
  [
    "callerAddress({ trust })",
    () => callerAddress(wrong({ peer, headers: {}, trust: "none" })),
    "option-invalid",
    "trust is the second argument of callerAddress",
  ],
  [
    "clientAddress.with: a peer that is a promise",
    () =>
      fetchAdapter.clientAddress.with({ peer: wrong(async () => peer) })(new Request("http://localhost/")),
    "option-invalid",
    "must be an address as text, null or undefined, got a promise.",
  ],
  [
    "clientAddress({ trust }), fetch",
    () => fetchAdapter.clientAddress(wrong({ trust: 1 })),
    "option-invalid",
    "Settings go into clientAddress.with({ trust }).",
  ],
  [
    "clientAddress({ trust }), next",
    () => nextAdapter.clientAddress(wrong({ trust: 1 })),
    "option-invalid",
    "Settings go into clientAddress.with({ trust }).",
  ],
  [
    "parseTrustProxy(1)",
    () => parseTrustProxy(wrong(1)),
    "trust-proxy-unreadable",
    'parseTrustProxy takes text such as "private", "1" or "10.0.0.0/8", got 1.',
  ],
  [
    "parseTrustProxy: onWarn",
    () => parseTrustProxy("1", wrong({ onWarn() {} })),
    "option-invalid",
    'parseTrustProxy has no option "onWarn".',
  ],
  [
    "parseTrustProxy: onWarning",
    () => parseTrustProxy("1", wrong({ onWarning: true })),
    "option-invalid",
    "onWarning of parseTrustProxy must be a function, got true.",
  ],
  [
    "normalizeAddress: 0 bits",
    () => normalizeAddress("2001:db8::1", 0),
    "option-invalid",
    "ipv6PrefixLength must be a whole number from 1 to 128, got 0.",
  ],
  [
    "boundedJson()",
    () => boundedJson(wrong(undefined)),
    "option-invalid",
    "A body that was parsed already can no longer be bounded",
  ],
  [
    "refusal: status 200",
    () => refusal(refused(), { status: 200 }),
    "option-invalid",
    "status of refusal must be a whole number from 400 to 599, got 200.",
  ],
  [
    "refusal: accept",
    () => refusal(refused(), { accept: wrong(5) }),
    "option-invalid",
    "accept of refusal must be the request's Accept field, got 5.",
  ],
  [
    "refusal: body",
    () => refusal(refused(), { body: wrong(null) }),
    "option-invalid",
    "The body of a refusal must be such as",
  ],
  [
    "knownAnswer(refused)",
    () => knownAnswer(wrong(refused())),
    "option-invalid",
    "knownAnswer takes a request with a known id",
  ],
  [
    "rateLimit(limiter, list)",
    () => fetchAdapter.rateLimit(limiter, wrong([])),
    "option-invalid",
    "must be an object such as { caller: (request) => … }, got an empty list.",
  ],
];

const ofOthers: Mistake[] = [
  [
    "limitedTool: a limiter that is none",
    () => limitedTool(tool, wrong({}), { caller: "ann" }),
    "option-invalid",
    "the limiter is {}.",
  ],
  [
    "limitedTool: cost",
    () => limitedTool(tool, limiter, wrong({ caller: "ann", cost: { requests: 2 } })),
    "option-invalid",
    "cost of limitedTool must be a function",
  ],
  [
    "limitedTool: maxWaitMs",
    () => limitedTool(tool, limiter, wrong({ caller: "ann", maxWaitMs: "5" })),
    "option-invalid",
    'maxWaitMs of limitedTool must be a whole number from 0 to 86400000, got "5".',
  ],
  [
    "governedModel: a limiter that is none",
    () => governedModel(wrong(model), wrong({}), { caller: "us" }),
    "option-invalid",
    "the limiter is {}.",
  ],
  [
    "governedModel: clock",
    () => governedModel(wrong(model), limiter, { caller: "us", clock: wrong(5) }),
    "option-invalid",
    "clock must have now()",
  ],
  [
    "identify: unverifiedHeader",
    () => identify({ unverifiedHeader: wrong(5) }),
    "option-invalid",
    "unverifiedHeader must be the name of a header",
  ],
  [
    "bearerIdentity: jwks that are no key set",
    () => bearerIdentity({ jwks: wrong({}), issuer: "a", audience: "b" }),
    "option-invalid",
    "or a key set { keys }, got an object.",
  ],
  [
    "bearerIdentity: a key that is text",
    () => bearerIdentity({ key: wrong("a secret of at least thirty-two bytes") }),
    "option-invalid",
    "the bytes of a secret, such as new TextEncoder().encode(secret); it is text.",
  ],
];

describe.each([
  ["limiters", ofLimiters],
  ["stores and tests", ofStores],
  ["headgate/http and adapters", ofHttp],
  ["other subpaths", ofOthers],
])("wrong arguments: %s", (_part, mistakes) => {
  it.each(mistakes)("%s", async (_call, run, code, message) => {
    const error = await (async () => run())().then(
      () => "no error",
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(HeadgateError);
    expect((error as HeadgateError).message).toContain(message);
    expect((error as HeadgateError).code).toBe(code);
  });
});

it("normalizeAddress returns undefined for a value that is not a string", () => {
  expect([normalizeAddress(wrong(undefined)), normalizeAddress(wrong(5))]).toEqual([undefined, undefined]);
});

describe("admissionOf", () => {
  const adapters = [
    ["express", expressAdapter, "Express's request"],
    ["fastify", fastifyAdapter, "Fastify's request"],
    ["fetch", fetchAdapter, "a Request"],
    ["hono", honoAdapter, "Hono's context"],
    ["koa", koaAdapter, "Koa's context"],
    ["nest", nestAdapter, "Nest's execution context"],
    ["next", nextAdapter, "a Request"],
    ["node", nodeAdapter, "a request of Node's HTTP server"],
  ] as const;
  it.each(adapters)("of headgate/%s says what it accepts", (_name, { admissionOf }, takes) => {
    const shown = [
      [undefined, "undefined"],
      [null, "null"],
      ["GET", '"GET"'],
      [{}, "an object"],
    ] as const;
    for (const [given, words] of shown) {
      expect(() => wrong(admissionOf)(given)).toThrow(
        expect.objectContaining({
          code: "option-invalid",
          message: `admissionOf takes ${takes}, got ${words}.`,
        }),
      );
    }
  });
});
