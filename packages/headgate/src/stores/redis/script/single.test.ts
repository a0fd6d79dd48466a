import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import fc from "fast-check";
import { expect, it } from "vitest";
import { amountsOf } from "../../../core/cost.ts";
import { compileLimits } from "../../../core/limit-set.ts";
import type { Charge } from "../../../core/store.ts";
import { type Request, writeMessage } from "../encode.ts";
import { limitText } from "../limit-descriptions.ts";
import { script } from "./index.ts";

const longestTestMs = 120_000;

const redis = redisFixture();

/** Plans of one partition: a change between them keeps the counts. The last two are not plain. */
const plans = [
  "3/second; 9/minute",
  "5/second; 9/minute",
  "900/minute",
  "4/minute token-bucket",
  "9/minute; 50 tokens/minute",
].map((text) => compileLimits("user", text));
const plain = plans.slice(0, 3);

interface Step {
  readonly advanceMs: number;
  readonly keys: readonly number[];
  readonly plan: number;
  readonly cost: number;
  readonly peek: boolean;
}

const steps = fc.array(
  fc.record({
    advanceMs: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 900 }),
      fc.integer({ min: 0, max: 90_000 }),
    ),
    keys: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
    plan: fc.oneof({ weight: 4, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(4) }),
    cost: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(3) }),
    peek: fc.nat(5).map((n) => n === 0),
  }),
  { minLength: 20, maxLength: 60 },
);

type Deciding = Extract<Request, { parts: readonly Charge[] }>;

function requestOf({ keys, plan, cost, peek }: Step, at: number, prefix: string): Deciding {
  const limits = plans[plan] as (typeof plans)[number];
  const parts = keys.map((key) => ({
    space: "user",
    key: String(key),
    limits,
    ...amountsOf(limits, { requests: cost }),
  }));
  return { do: peek ? "peek" : "decide", at, keys: keys.map((key) => `${prefix}${key}`), parts };
}

/** The same request in the general form, which all other requests use. */
function generalArgument({ parts, at }: Deciding): string {
  const numbers = parts.flatMap(({ needs, spends }, n) => [n + 1, ...needs, ...spends]);
  const sets = parts.map(({ limits }) => limitText(limits, at));
  return `[[${sets}],[0,${[at, 1, parts.length, ...numbers]}]]`;
}

async function stored(prefix: string) {
  return Promise.all([0, 1, 2, 3].map((key) => redis.client.getBuffer(`${prefix}${key}`)));
}

let plays = 0;
let singles = 0;
let refused = 0;

it(
  "answers and stores the same as the general form, for any sequence of calls",
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        plays += 1;
        const [one, other] = [`single${plays}:`, `general${plays}:`];
        let now = 1_800_000_000_000;
        for (const step of history) {
          now += step.advanceMs;
          const request = requestOf(step, now, one);
          const { keys, argument } = writeMessage([request], now);
          const twin = requestOf(step, now, other);
          const general = writeMessage([twin], now);
          const isSingle = !argument.startsWith("[[");
          if (isSingle) singles += 1;
          const asGeneral = isSingle ? generalArgument(twin) : general.argument;
          const answer = (await redis.client.eval(script, keys.length, ...keys, argument)) as number[];
          expect(answer).toEqual(await redis.client.eval(script, keys.length, ...general.keys, asGeneral));
          if (isSingle && answer[1] === 0) refused += 1;
        }
        expect(await stored(one)).toEqual(await stored(other));
      }),
      { numRuns: 150 },
    );
    expect(singles).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(100);
  },
  longestTestMs,
);

it("uses the short form only for plain requests", () => {
  const step: Step = { advanceMs: 0, keys: [0, 1], plan: 0, cost: 1, peek: false };
  const isShort = (changes: Partial<Step>) => {
    const request = requestOf({ ...step, ...changes }, 1, "");
    return !writeMessage([request], 1).argument.startsWith("[[");
  };
  expect(plain.map((_, plan) => isShort({ plan }))).toEqual([true, true, true]);
  expect(isShort({ plan: 3 })).toBe(false);
  expect(isShort({ plan: 4 })).toBe(false);
  expect(isShort({ cost: 2 })).toBe(false);
  expect(isShort({ cost: 0 })).toBe(false);
  expect(isShort({ peek: true })).toBe(false);
});

it("leaves an unreadable state unchanged", async () => {
  await redis.client.hset("taken", "some", "thing");
  await redis.client.set("text", "not a state");
  const request = requestOf({ advanceMs: 0, keys: [0], plan: 0, cost: 1, peek: false }, 1, "");
  const { argument } = writeMessage([request], 1);
  expect(await redis.client.eval(script, 1, "taken", argument)).toEqual([0, -1, 1]);
  expect(await redis.client.eval(script, 1, "text", argument)).toEqual([0, -1, 1]);
  expect(await redis.client.hgetall("taken")).toEqual({ some: "thing" });
  expect(await redis.client.get("text")).toBe("not a state");
  // A partition that the same request names is not written either.
  const both = writeMessage(
    [requestOf({ advanceMs: 0, keys: [0, 1], plan: 0, cost: 1, peek: false }, 1, "")],
    1,
  );
  expect(await redis.client.eval(script, 2, "fresh", "taken", both.argument)).toEqual([0, -1, 2]);
  expect(await redis.client.exists("fresh")).toBe(0);
});

it("lets each key expire after its widest window, also by the server's clock", async () => {
  const request = requestOf({ advanceMs: 0, keys: [0], plan: 0, cost: 1, peek: false }, 0, "");
  const { argument } = writeMessage([request], 0);
  for (let n = 0; n < 3; n += 1) await redis.client.eval(script, 1, "ending", argument);
  const ttl = await redis.client.pttl("ending");
  expect(ttl).toBeGreaterThan(59_000);
  expect(ttl).toBeLessThanOrEqual(67_500);
});
