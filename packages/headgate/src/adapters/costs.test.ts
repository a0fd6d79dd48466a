import { describe, expect, it } from "vitest";
import { limitedTool } from "../ai/limited-tool.ts";
import type { Limiter } from "../limiter/contract.ts";
import { guard } from "../limiter/guard.ts";
import { createLimiter } from "../limiter/limiter.ts";
import * as express from "./express.ts";
import * as fastify from "./fastify.ts";
import * as fetching from "./fetch.ts";
import * as hono from "./hono.ts";
import * as koa from "./koa.ts";
import * as nest from "./nest.ts";
import * as next from "./next.ts";
import * as node from "./node.ts";

const limiter = createLimiter({
  name: "typed",
  layers: [{ name: "user", key: (user: string) => user, limits: "5/minute; 100 tokens/day" }],
  units: ["pages"],
});
const caller = () => "ann";
/** Costs that only the run knows. */
const priced: Record<string, number> = { tokens: 1 };

// That this file compiles is the test: each line after an expected error has to have one.
describe("the costs of a guard name the units of its limiter, or do not compile", () => {
  it("express", () => {
    express.rateLimit(limiter, {
      caller,
      cost: ({ url }) => ({ requests: 1, tokens: url.length, pages: 1 }),
    });
    express.rateLimit(limiter, {
      caller,
      cost: async ({ url }) => (url === "/" ? { tokens: 1 } : undefined),
    });
    express.rateLimit(limiter, { caller, cost: () => priced });
    // @ts-expect-error no unit of this name
    express.rateLimit(limiter, { caller, cost: () => ({ tokne: 5 }) });
    // @ts-expect-error beside one that there is
    express.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
    // @ts-expect-error in a promise
    express.rateLimit(limiter, { caller, cost: async ({ url }) => ({ tokens: 1, tokne: url.length }) });
    // @ts-expect-error in one of two costs
    express.rateLimit(limiter, { caller, cost: ({ url }) => (url === "/" ? { tokens: 1 } : { images: 1 }) });
    // @ts-expect-error no number
    express.rateLimit(limiter, { caller, cost: () => ({ tokens: "5" }) });
  });

  it("fastify", () => {
    fastify.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    // @ts-expect-error no unit of this name
    fastify.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("koa", () => {
    koa.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    // @ts-expect-error no unit of this name
    koa.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("hono", () => {
    hono.rateLimit(limiter, { caller, cost: ({ req }) => ({ tokens: req.url.length, pages: 1 }) });
    // @ts-expect-error no unit of this name
    hono.rateLimit(limiter, { caller, cost: ({ req }) => ({ tokens: 1, tokne: req.url.length }) });
  });

  it("nest", () => {
    nest.rateLimit(limiter, { caller, cost: (context) => ({ tokens: context.getArgs().length, pages: 1 }) });
    // @ts-expect-error no unit of this name
    nest.rateLimit(limiter, { caller, cost: (context) => ({ tokens: 1, tokne: context.getArgs().length }) });
  });

  it("node", () => {
    node.rateLimit(limiter, { caller, cost: ({ headers }) => ({ tokens: Number(headers["x-tokens"]) }) });
    // @ts-expect-error no unit of this name
    node.rateLimit(limiter, { caller, cost: ({ headers }) => ({ pages: 1, tokne: Number(headers.age) }) });
  });

  it("fetch", () => {
    fetching.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    const worker = (_request: Request, env: { readonly user: string }) => env.user;
    fetching.rateLimit(limiter, { caller: worker, cost: (_request, env) => ({ tokens: env.user.length }) });
    // @ts-expect-error no unit of this name
    fetching.rateLimit(limiter, { caller: worker, cost: (_request, env) => ({ tokne: env.user.length }) });
    // @ts-expect-error no unit of this name
    fetching.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("next", () => {
    next.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    // @ts-expect-error no unit of this name
    next.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("guard, of what a call costs and has used", () => {
    const run = (words: string) => words.length;
    guard(limiter, run, {
      caller,
      cost: (words) => ({ tokens: words.length }),
      used: (tokens) => ({ tokens }),
    });
    // @ts-expect-error no unit of this name
    guard(limiter, run, { caller, cost: (words) => ({ tokens: 1, tokne: words.length }) });
    // @ts-expect-error no unit of this name
    guard(limiter, run, { caller, used: (tokne) => ({ tokne }) });
  });

  it("limitedTool", () => {
    const search = { execute: async () => "found" };
    limitedTool(search, limiter, { caller: "ann", cost: () => ({ tokens: 1 }) });
    // @ts-expect-error no unit of this name
    limitedTool(search, limiter, { caller: "ann", cost: () => ({ requests: 1, tokne: 1 }) });
  });

  it("are checked as they run where the units are not known to the compiler", async () => {
    const reported: unknown[] = [];
    const untyped: Limiter<string> = createLimiter<string>({
      name: "untyped",
      layers: [{ name: "user", key: (user) => user, limits: "2/minute" }],
      onError: (error) => reported.push(error),
    });
    const guarded = fetching.rateLimit(untyped, { caller, cost: () => ({ tokne: 5 }) })(
      () => new Response("ok"),
    );
    const ask = async () => (await guarded(new Request("http://localhost/"))).status;
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429]);
    expect(String(reported[0])).toContain('"tokne"');
  });

  it("so do those that an admission is ended with", () => {
    const admission = express.admissionOf({} as never, limiter);
    if (admission?.admitted) {
      admission.end({ tokens: 1 });
      // @ts-expect-error no unit of this name
      admission.end({ tokne: 1 });
    }
    expect(admission).toBeUndefined();
  });
});
