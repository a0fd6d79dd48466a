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
/** Costs with units that the compiler does not know. */
const priced: Record<string, number> = { tokens: 1 };

// The compiler runs this test: each line after `@ts-expect-error` must have an error.
describe("a cost with a unit that the limiter does not count is a type error", () => {
  it("cost of headgate/express", () => {
    express.rateLimit(limiter, {
      caller,
      cost: ({ url }) => ({ requests: 1, tokens: url.length, pages: 1 }),
    });
    express.rateLimit(limiter, {
      caller,
      cost: async ({ url }) => (url === "/" ? { tokens: 1 } : undefined),
    });
    express.rateLimit(limiter, { caller, cost: () => priced });
    // @ts-expect-error the limiter has no unit with this name
    express.rateLimit(limiter, { caller, cost: () => ({ tokne: 5 }) });
    // @ts-expect-error a known unit and an unknown unit
    express.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
    // @ts-expect-error a promise of an unknown unit
    express.rateLimit(limiter, { caller, cost: async ({ url }) => ({ tokens: 1, tokne: url.length }) });
    // @ts-expect-error an unknown unit in one of two costs
    express.rateLimit(limiter, { caller, cost: ({ url }) => (url === "/" ? { tokens: 1 } : { images: 1 }) });
    // @ts-expect-error an amount must be a number
    express.rateLimit(limiter, { caller, cost: () => ({ tokens: "5" }) });
  });

  it("cost of headgate/fastify", () => {
    fastify.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    // @ts-expect-error the limiter has no unit with this name
    fastify.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("cost of headgate/koa", () => {
    koa.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    // @ts-expect-error the limiter has no unit with this name
    koa.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("cost of headgate/hono", () => {
    hono.rateLimit(limiter, { caller, cost: ({ req }) => ({ tokens: req.url.length, pages: 1 }) });
    // @ts-expect-error the limiter has no unit with this name
    hono.rateLimit(limiter, { caller, cost: ({ req }) => ({ tokens: 1, tokne: req.url.length }) });
  });

  it("cost of headgate/nest", () => {
    nest.rateLimit(limiter, { caller, cost: (context) => ({ tokens: context.getArgs().length, pages: 1 }) });
    // @ts-expect-error the limiter has no unit with this name
    nest.rateLimit(limiter, { caller, cost: (context) => ({ tokens: 1, tokne: context.getArgs().length }) });
  });

  it("cost of headgate/node", () => {
    node.rateLimit(limiter, { caller, cost: ({ headers }) => ({ tokens: Number(headers["x-tokens"]) }) });
    // @ts-expect-error the limiter has no unit with this name
    node.rateLimit(limiter, { caller, cost: ({ headers }) => ({ pages: 1, tokne: Number(headers.age) }) });
  });

  it("cost of headgate/fetch", () => {
    fetching.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    const worker = (_request: Request, env: { readonly user: string }) => env.user;
    fetching.rateLimit(limiter, { caller: worker, cost: (_request, env) => ({ tokens: env.user.length }) });
    // @ts-expect-error the limiter has no unit with this name
    fetching.rateLimit(limiter, { caller: worker, cost: (_request, env) => ({ tokne: env.user.length }) });
    // @ts-expect-error the limiter has no unit with this name
    fetching.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("cost of headgate/next", () => {
    next.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) });
    // @ts-expect-error the limiter has no unit with this name
    next.rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: 1, tokne: url.length }) });
  });

  it("cost and used of guard", () => {
    const run = (words: string) => words.length;
    guard(limiter, run, {
      caller,
      cost: (words) => ({ tokens: words.length }),
      used: (tokens) => ({ tokens }),
    });
    // @ts-expect-error the limiter has no unit with this name
    guard(limiter, run, { caller, cost: (words) => ({ tokens: 1, tokne: words.length }) });
    // @ts-expect-error the limiter has no unit with this name
    guard(limiter, run, { caller, used: (tokne) => ({ tokne }) });
  });

  it("cost of limitedTool", () => {
    const search = { execute: async () => "found" };
    limitedTool(search, limiter, { caller: "ann", cost: () => ({ tokens: 1 }) });
    // @ts-expect-error the limiter has no unit with this name
    limitedTool(search, limiter, { caller: "ann", cost: () => ({ requests: 1, tokne: 1 }) });
  });

  it("a cost is checked at run time if the compiler does not know the units", async () => {
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

  it("end of an admission", () => {
    const request = { headers: {} } as never;
    const admission = express.admissionOf(request, limiter);
    if (admission?.admitted) {
      admission.end({ tokens: 1 });
      // @ts-expect-error the limiter has no unit with this name
      admission.end({ tokne: 1 });
    }
    expect(admission).toBeUndefined();
  });
});
