import fc from "fast-check";
import { expect, it } from "vitest";
import type { Admission, Refused } from "../../core/admission.ts";
import { HeadgateError } from "../../core/errors.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { prepareRefusals } from "./prepared.ts";
import { refusal } from "./refusal.ts";

const limitTexts = [
  "2/minute",
  "3/hour token-bucket",
  "2/month fixed-window",
  "1/day fixed-window in Europe/Berlin",
  "4/1500 milliseconds",
  "2 concurrent",
  "5 tokens/minute",
  "3 constructor/minute",
  "3/minute sliding-counter",
];

const plays = fc.record({
  layers: fc.array(
    fc.oneof(
      fc.subarray(limitTexts, { minLength: 1, maxLength: 4 }).map((texts) => texts.join("; ")),
      fc.constantFrom("unlimited", "blocked"),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  status: fc.constantFrom(undefined, 420, 503),
  accept: fc.constantFrom(null, "*/*", "text/html", "application/json, text/plain;q=0.5", "nonsense"),
  requests: fc.array(
    fc.record({
      user: fc.constantFrom("a", "b", null),
      cost: fc.constantFrom(
        {},
        { tokens: 2 },
        { requests: 2, constructor: 1 },
        { tokens: 9 },
        { requests: 9 },
      ),
      afterMs: fc.nat(5_000),
      blockFor: fc.constantFrom(undefined, undefined, undefined, 3_000),
    }),
    { minLength: 1, maxLength: 14 },
  ),
});

function limiterOf(layers: readonly string[], clock: ReturnType<typeof fakeClock>) {
  try {
    return createLimiter<{ user: string | null }>({
      name: "chat",
      layers: layers.map((limits, n) => ({
        name: `layer-${n}`,
        key: ({ user }) => (n === 0 ? (user ?? "nobody") : user),
        limits,
      })),
      units: ["requests", "tokens", "constructor"],
      clock,
      onWarning: () => {},
    });
  } catch (error) {
    if (error instanceof HeadgateError) return undefined;
    throw error;
  }
}

/** Compares each prepared refusal of a random history with that of `refusal`. @returns how many were prepared */
async function compare({ layers, status, accept, requests }: Parameters<Parameters<typeof plays.map>[0]>[0]) {
  const clock = fakeClock();
  const limiter = limiterOf(layers, clock);
  if (limiter === undefined) return 0;
  const options = { fields: "draft", legacy: false, ...(status === undefined ? {} : { status }) } as const;
  const prepare = prepareRefusals(options);
  let preparedCount = 0;
  for (const { user, cost, afterMs, blockFor } of requests) {
    if (blockFor !== undefined) await limiter.block({ user }, { forMs: blockFor });
    const admission: Admission = await limiter.admit({ user }, { cost });
    clock.advance(afterMs);
    if (admission.admitted) continue;
    const prepared = prepare(admission, accept);
    if (prepared === undefined) continue;
    preparedCount += 1;
    const { status: sent, headers, body, problem } = prepared;
    expect({ status: sent, headers, body, problem }).toEqual(refusal(admission, { ...options, accept }));
    expect(body).toBe(JSON.stringify(problem));
  }
  await limiter.close();
  return preparedCount;
}

it("makes the same bytes as refusal", async () => {
  let preparedCount = 0;
  await fc.assert(
    fc.asyncProperty(plays, async (play) => {
      preparedCount += await compare(play);
    }),
    { numRuns: 300 },
  );
  expect(preparedCount).toBeGreaterThan(0);
});

const options = { fields: "draft", legacy: false } as const;

function refusedBy(limits: string, cost = {}): Refused {
  const limiter = createLimiter<unknown>({
    name: "chat",
    layers: [{ name: "user", key: () => "a", limits }],
    units: ["requests", "tokens", "constructor"],
    clock: fakeClock(),
    onWarning: () => {},
  });
  for (let n = 0; n < 10; n += 1) {
    const admission = limiter.admit(undefined, { cost }) as Admission;
    if (!admission.admitted) return admission;
  }
  throw new Error(`${limits} refuse nobody.`);
}

it.each(["2/minute", "2/minute; 3/hour", "2 concurrent", "2/month fixed-window", "5 tokens/minute; 2/hour"])(
  "prepares refusals under %s",
  (limits) => {
    const refused = refusedBy(limits, limits.includes("tokens") ? { tokens: 1 } : {});
    const prepared = prepareRefusals(options)(refused, null);
    expect(prepared?.body).toBe(refusal(refused, { accept: null }).body);
  },
);

it.each([
  ["an older form of the fields", { fields: "draft-6", legacy: false } as const, null],
  ["legacy fields", { fields: "draft", legacy: true } as const, null],
  ["no fields", { fields: false, legacy: false } as const, null],
  ["a page", options, "text/html"],
])("leaves %s to refusal", (_what, others, accept) => {
  expect(prepareRefusals(others)(refusedBy("2/minute"), accept)).toBeUndefined();
});

it("reads the Accept field of each request", () => {
  const refused = refusedBy("2/minute");
  const prepare = prepareRefusals(options);
  const accepts = [
    null,
    "text/html",
    null,
    "application/json",
    "text/html",
    "text/plain",
    "application/json",
  ];
  expect(accepts.map((accept) => prepare(refused, accept) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
    false,
    false,
    true,
  ]);
});

it("leaves a caller who is blocked, and a cost above the quota, to refusal", () => {
  const prepare = prepareRefusals(options);
  expect(prepare(refusedBy("blocked"), null)).toBeUndefined();
  expect(prepare(refusedBy("2/minute", { requests: 3 }), null)).toBeUndefined();
});

it("does not prepare a refusal for an object that only looks like a decision", () => {
  const refused = refusedBy("2/minute");
  expect(prepareRefusals(options)(JSON.parse(JSON.stringify(refused)), null)).toBeUndefined();
});

it("reports affordable units even if a unit has the name of an inherited property", () => {
  const refused = refusedBy("3 constructor/minute", { constructor: 1 });
  for (const { body } of [refusal(refused), prepareRefusals(options)(refused, null) ?? refusal(refused)]) {
    expect(body).toContain('"affordable":{"constructor":0}');
  }
});
