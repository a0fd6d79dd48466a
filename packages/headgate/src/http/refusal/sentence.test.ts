import { describe, expect, it } from "vitest";
import type { Refused } from "../../core/admission.ts";
import { createLimiter } from "../../index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { sentenceOf } from "./sentence.ts";

/** One of each unit. */
const cost = { requests: 1, tokens: 1, gas: 1, constructor: 1, concurrent: 1 };

/** The refusal of a request after all of these limits have been spent or held. */
function refusedBy(limits: string, ends = true): Refused {
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "user", key: () => "a", limits }],
    units: Object.keys(cost),
    clock: fakeClock(),
    onWarning: () => {},
  });
  for (let count = 0; count < 10; count += 1) {
    const admission = limiter.admit(undefined, { cost });
    if ("retryAfterMs" in admission) return admission as Refused;
    if (ends && "end" in admission) admission.end();
  }
  throw new Error(`${limits} refuse nobody.`);
}

describe("sentenceOf", () => {
  it.each([
    ["5/minute", "5 requests per minute"],
    ["1/minute", "1 request per minute"],
    ["1 token/minute", "1 token per minute"],
    ["3 tokens/minute", "3 tokens per minute"],
    ["1 gas/30 seconds", "1 gas per 30 seconds"],
    ["1 constructor/minute", "1 constructor per minute"],
  ])("names the limit %s as %s", (limits, words) => {
    expect(sentenceOf(refusedBy(limits))).toMatch(`The limit of ${words} has been reached. Try again in `);
  });

  it.each([
    ["2 concurrent", "2 at a time"],
    ["1 concurrent per 30 seconds", "1 at a time"],
    ["3 tokens/minute", "3 tokens per minute"],
  ])("says under %s that a place or units may be free sooner", (limits, words) => {
    expect(sentenceOf(refusedBy(limits, false))).toBe(
      `The limit of ${words} has been reached. Try again when a request in progress ends, at the latest in 30 seconds.`,
    );
  });

  it.each([
    [1, "1 second"],
    [119, "119 seconds"],
    [120, "2 minutes"],
    [121, "3 minutes"],
    [7199, "120 minutes"],
    [7201, "3 hours"],
    [200_000, "3 days"],
  ])("writes a wait of %i s in words, never too short", (seconds, words) => {
    expect(sentenceOf(refusedBy(`1/${seconds} seconds`))).toContain(`Try again in ${words}.`);
  });

  it.each([
    [{ reason: "blocked", retryAfterSeconds: Number.POSITIVE_INFINITY }, "This caller is blocked."],
    [{ reason: "blocked" }, "This caller is blocked for now. Try again in 2 days."],
    [
      { reason: "store-unavailable" },
      "Requests cannot be counted at the moment. Please try again in 2 days.",
    ],
    [{ reason: "too-many-reservations" }, "Too many requests are in progress. Try again in 2 days."],
    [{ reason: "limit" }, "The limit of 5 requests per minute has been reached. Try again in 2 days."],
    [
      { reason: "limit", retryAfterSeconds: 7200 },
      "The limit of 5 requests per minute has been reached. Try again in 2 hours.",
    ],
  ])("says why a request is refused: %j", (change, sentence) => {
    const binding = { quota: 5, unit: "requests", algorithm: "sliding-window", windowMs: 60_000 };
    const refused = { binding, retryAfterSeconds: 172_800, waitsFor: "window", ...change };
    expect(sentenceOf(refused as unknown as Refused)).toBe(sentence);
  });

  it("names no wait if none helps", () => {
    const limiter = createLimiter({
      name: "chat",
      layers: [{ name: "user", key: () => "a", limits: "2 tokens/minute" }],
    });
    const refused = limiter.admit(undefined, { cost: { tokens: 3 } }) as Refused;
    expect(sentenceOf(refused)).toBe(
      "This request asks for more than the limit of 2 tokens per minute ever allows.",
    );
  });
});
