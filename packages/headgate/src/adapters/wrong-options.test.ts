import { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import express from "express";
import fc from "fast-check";
import { fastify } from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { afterAll, describe, expect, it } from "vitest";
import { HeadgateError } from "../core/errors.ts";
import type { Limiter, LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import * as expressAdapter from "./express.ts";
import * as fastifyAdapter from "./fastify.ts";
import * as fetchAdapter from "./fetch.ts";
import * as honoAdapter from "./hono.ts";
import * as koaAdapter from "./koa.ts";
import * as nestAdapter from "./nest.ts";
import * as nextAdapter from "./next.ts";
import * as nodeAdapter from "./node.ts";

/** How often `npm run test:soak` tests each kind of mistake on each adapter, always with others. */
const soakRuns = process.env.HEADGATE_MISTAKES;
/** How often each kind is tested, with four requests each time. */
const numRuns = Number(soakRuns ?? 40);
/** Without the soak, the same mistakes each time: whether they reach enough decisions must not depend on luck. */
const chosen = soakRuns === undefined ? { numRuns, seed: 14 } : { numRuns };
const asks = 4;
const quota = 2;
/** The least number of decisions for each kind of mistake on each adapter: 1,000 of the soak's 280 runs. */
const leastDecided = Math.ceil((numRuns / 280) * 1000);
const kinds = ["caller", "cost", "skip", "onRefused", "refundWhen", "body", "key", "plan", "store"] as const;
type Kind = (typeof kinds)[number] | "options";

/** The ways in which a wrong function can behave. */
type Behaviour =
  | { how: "returns" | "resolves" | "thenable" | "throws" | "rejects"; what: unknown }
  | { how: "getter" };

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });
const nothing = fc.constantFrom(
  undefined,
  null,
  Number.NaN,
  0,
  "",
  false,
  true,
  -1,
  1.5,
  Symbol("s"),
  () => "x",
);
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  fc.record({
    how: fc.constantFrom("returns", "resolves", "thenable", "throws", "rejects"),
    what: fc.oneof(nothing, anything),
  }) as fc.Arbitrary<Behaviour>,
  fc.constant<Behaviour>({ how: "getter" }),
);

function behave(given: Behaviour): unknown {
  if (given.how === "getter") {
    return {
      // biome-ignore lint/suspicious/noThenProperty: the test needs a thenable.
      get then() {
        throw new Error("getter");
      },
    };
  }
  const { how, what } = given;
  if (how === "throws") throw what;
  if (how === "rejects") return Promise.reject(what);
  if (how === "resolves") return Promise.resolve(what);
  // biome-ignore lint/suspicious/noThenProperty: the test needs a thenable.
  if (how === "thenable") return { then: (resolve: (value: unknown) => void) => resolve(what) };
  return what;
}

const fails = ({ how }: Behaviour) => how === "throws" || how === "rejects";

type Options = Record<string, unknown>;
type Ask = () => Promise<number>;

/** Answers a request in this process, like a Node.js server. @returns the status */
function askInProcess(listener: (incoming: IncomingMessage, response: ServerResponse) => unknown): Ask {
  return () =>
    new Promise((resolve, reject) => {
      const incoming = new IncomingMessage(new Socket());
      Object.assign(incoming, { method: "GET", url: "/", headers: { host: "localhost" }, complete: true });
      const response = new ServerResponse(incoming);
      const { end } = response;
      response.end = ((...given: Parameters<typeof end>) => {
        const ended = end.apply(response, given);
        resolve(response.statusCode);
        return ended;
      }) as typeof end;
      Promise.resolve(listener(incoming, response)).catch(reject);
    });
}

type Mount = (limiter: Limiter<unknown>, options: never) => Ask | Promise<Ask>;

function overExpress(framework: typeof express): Mount {
  return (limiter, options) => {
    const app = framework();
    app.use(expressAdapter.rateLimit(limiter, options));
    app.use((_request, response) => void response.send("ok"));
    return askInProcess(app);
  };
}

const adapters: Record<string, Mount> = {
  fetch(limiter, options) {
    const handler = fetchAdapter.rateLimit(limiter, options)(() => new Response("ok"));
    return async () => (await handler(new Request("http://localhost/"))).status;
  },
  next(limiter, options) {
    const handler = nextAdapter.rateLimit(limiter, options)(() => new Response("ok"));
    return async () => (await handler(new Request("http://localhost/"))).status;
  },
  hono(limiter, options) {
    const app = new Hono().use(honoAdapter.rateLimit(limiter, options)).get("/", (c) => c.text("ok"));
    return async () => (await app.request("/")).status;
  },
  node: (limiter, options) =>
    askInProcess(nodeAdapter.rateLimit(limiter, options)((_request, response) => response.end())),
  "express 5": overExpress(express),
  "express 4": overExpress(createRequire(import.meta.url)("express4")),
  koa(limiter, options) {
    const app = new Koa();
    app.silent = true;
    app.use(koaAdapter.rateLimit(limiter, options));
    app.use((context) => {
      context.body = "ok";
    });
    return askInProcess(app.callback());
  },
  fastify(limiter, options) {
    const app = fastify();
    app.get("/", { onRequest: fastifyAdapter.rateLimit(limiter, options) }, () => "ok");
    return async () => (await app.inject("/")).statusCode;
  },
  nest(limiter, options) {
    const guard = nestAdapter.rateLimit(limiter, options);
    return askInProcess(async (request, response) => {
      const http = { getRequest: () => request, getResponse: () => response };
      const context = { getType: () => "http", switchToHttp: () => http };
      try {
        response.statusCode = (await guard.canActivate(context as never)) ? 200 : 403;
      } catch (error) {
        if (!(error instanceof nestAdapter.RefusedException)) throw error;
        response.statusCode = error.getStatus();
      }
      response.end();
    });
  },
};

const strictly: LimiterOptions<unknown> = {
  name: "chat",
  layers: [{ name: "all", key: () => "all", limits: `${quota}/minute` }],
};

describe.each(Object.entries(adapters))(`wrong options on %s, ${numRuns} of each kind`, (adapter, mount) => {
  const decided: Partial<Record<Kind, number>> = {};
  afterAll(() => {
    console.info(`Decisions with wrong options on ${adapter}: ${JSON.stringify(decided)}`);
    for (const kind of kinds) expect([kind, (decided[kind] ?? 0) >= leastDecided]).toEqual([kind, true]);
  });

  /** Mounts a guard, sends requests, and checks the results. */
  async function run(
    kind: Kind,
    options: Options,
    expected: { bounded: boolean; reported: boolean },
    ofLimiter: Partial<LimiterOptions<unknown>> = {},
  ) {
    const reports: unknown[] = [];
    const limiter = createLimiter<unknown>({
      ...strictly,
      ...ofLimiter,
      onDecision: () => {
        decided[kind] = (decided[kind] ?? 0) + 1;
      },
      onError: (error) => reports.push(error),
      onOutage: () => {},
      onWarning: () => {},
    });
    const ask = await mount(limiter, { caller: () => "x", ...options } as never);
    let passed = 0;
    for (let n = 0; n < asks; n += 1) if ((await ask()) === 200) passed += 1;
    await limiter.close();
    if (expected.bounded) expect(passed).toBeLessThanOrEqual(quota);
    if (expected.reported) expect(reports.length).toBeGreaterThan(0);
  }

  const property = (check: (given: Behaviour) => Promise<void>) =>
    fc.assert(fc.asyncProperty(behaviour, check), chosen);

  it("a wrong caller function does not exceed the quota", () =>
    property((given) =>
      run("caller", { caller: () => behave(given) }, { bounded: true, reported: fails(given) }),
    ));

  it("an invalid cost is counted strictly and reported", () =>
    property((given) => {
      const what = given.how === "getter" ? null : given.what;
      const isObject = typeof what === "object" && what !== null;
      const wrong = fails(given) || (!isObject && what !== undefined);
      const namesRequests = isObject && Object.hasOwn(what, "requests");
      return run(
        "cost",
        { cost: () => behave(given) },
        { bounded: wrong || !namesRequests, reported: wrong },
      );
    }));

  it("skip only skips a request if it returns true", () =>
    property((given) => {
      const isTrue = given.how !== "getter" && given.what === true && !fails(given);
      return run("skip", { skip: () => behave(given) }, { bounded: !isTrue, reported: fails(given) });
    }));

  it("a wrong onRefused function does not admit a refused request", () =>
    property((given) =>
      run("onRefused", { onRefused: () => behave(given) }, { bounded: true, reported: fails(given) }),
    ));

  it("refundWhen only refunds a request if it returns true", () =>
    property((given) => {
      const isTrue = given.how === "returns" && given.what === true;
      const isAnswer = given.how === "returns" && typeof given.what === "boolean";
      return run(
        "refundWhen",
        { refundWhen: () => behave(given) },
        { bounded: !isTrue, reported: !isAnswer },
      );
    }));

  it("a refusal is sent even with an invalid body", () =>
    property((given) =>
      run("body", { body: () => behave(given) }, { bounded: true, reported: given.how === "throws" }),
    ));

  it("a wrong key function does not exceed the quota, and an invalid key is reported", () =>
    property((given) => {
      const what = given.how === "returns" ? given.what : undefined;
      const isNull = given.how === "returns" && what === null;
      const isKey = (typeof what === "string" && what !== "") || Number.isSafeInteger(what);
      const key = () => behave(given) as never;
      const layers = [{ name: "all", key, limits: `${quota}/minute` }];
      return run("key", {}, { bounded: !isNull, reported: !isNull && !isKey }, { layers });
    }));

  it("an invalid plan is reported, and the default plan applies", () =>
    property((given) => {
      const isPlan =
        given.how !== "getter" && !fails(given) && (given.what === undefined || given.what === "free");
      const plan = () => behave(given) as never;
      const plans = { free: `${quota}/minute`, staff: "unlimited" };
      const layers = [{ name: "all", key: () => "all", plans, plan, defaultPlan: "free" }];
      return run("plan", {}, { bounded: true, reported: !isPlan }, { layers });
    }));

  it("an invalid store result is reported as a store error", () =>
    property((given) => {
      const store = { ...memoryStore(), name: "wrong", decide: () => behave(given) as never };
      return run("store", {}, { bounded: true, reported: true }, { store });
    }));

  it(`${4 * numRuns} wrong options throw at start-up or still decide requests`, async () => {
    const names = ["caller", "cost", "skip", "body", "onRefused", "refundWhen", "status", "fields", "legacy"];
    const name = fc.oneof(fc.constantFrom(...names, "Caller", "keyGenerator", "max"), fc.string());
    let mounted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.oneof(anything, nothing), { maxKeys: 3 }), async (options) => {
        try {
          await run("options", options, { bounded: false, reported: false });
          mounted += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(HeadgateError);
          expect((error as HeadgateError).code).toBe("option-invalid");
          refused += 1;
        }
      }),
      { ...chosen, numRuns: 4 * numRuns },
    );
    console.info(`Wrong options on ${adapter}: ${refused} threw when mounted, ${mounted} decided requests.`);
    expect(refused).toBeGreaterThan(2 * numRuns);
    expect(decided.options).toBeGreaterThanOrEqual(leastDecided);
  });
});
