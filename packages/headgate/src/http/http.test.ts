import { parseList, Token } from "structured-headers";
import { describe, expect, it } from "vitest";
import type { Admission, Refused } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { rateLimitFields, writeFields } from "./fields/fields.ts";
import { refusal } from "./refusal/refusal.ts";

function guarded(limits = "5/minute; 60/hour") {
  const clock = fakeClock();
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [
      { name: "user", key: (key) => key, limits },
      { name: "ip", key: () => "one", limits: "30/minute; 1000 tokens/90 seconds" },
    ],
    clock,
  });
  return { clock, admit: (cost = {}) => limiter.admit("a", { cost }) as Admission };
}

/** Parses with an independent implementation of RFC 9651. */
function parsed(field: string | undefined) {
  return parseList(field ?? "").map(([name, parameters]) => {
    expect(name).not.toBeInstanceOf(Token);
    return [name, Object.fromEntries(parameters)];
  });
}

describe("rateLimitFields", () => {
  it("shows every limit as a valid structured field", () => {
    const { admit, clock } = guarded();
    admit();
    clock.advance(1);
    const fields = rateLimitFields(admit({ tokens: 10 }));
    expect(parsed(fields["RateLimit-Policy"])).toEqual([
      ["user-per-minute", { q: 5, w: 60 }],
      ["user-per-hour", { q: 60, w: 3600 }],
      ["ip-per-minute", { q: 30, w: 60 }],
      ["ip-tokens-per-90-seconds", { q: 1000, w: 90, qu: "tokens" }],
    ]);
    expect(parsed(fields.RateLimit)).toEqual([
      ["user-per-minute", { r: 3, t: 60 }],
      ["user-per-hour", { r: 58, t: 3600 }],
      ["ip-per-minute", { r: 28, t: 60 }],
      ["ip-tokens-per-90-seconds", { r: 990, t: 30 }],
    ]);
  });

  it("exposes its fields to browsers", () => {
    const fields = rateLimitFields(guarded().admit(), { legacy: true });
    for (const name of Object.keys(fields)) {
      if (name !== "Access-Control-Expose-Headers")
        expect(fields["Access-Control-Expose-Headers"]).toContain(name);
    }
    expect(fields).toMatchObject({
      "X-RateLimit-Limit": "5",
      "X-RateLimit-Remaining": "4",
      "X-RateLimit-Reset": "60",
    });
  });

  it("keeps the fields that a response already exposes", () => {
    const headers = new Headers({ "Access-Control-Expose-Headers": "X-Conversation-Id" });
    writeFields(headers, rateLimitFields(guarded().admit()));
    expect(headers.get("Access-Control-Expose-Headers")).toBe(
      "X-Conversation-Id, RateLimit, RateLimit-Policy, Retry-After",
    );
  });

  it("is empty if no limit applied", () => {
    expect(rateLimitFields({ limits: [], tightest: undefined })).toEqual({});
  });

  it("shows windows shorter than a second as one second", () => {
    const fields = rateLimitFields(guarded("5/20 ms").admit());
    expect(parsed(fields["RateLimit-Policy"])[0]).toEqual(["user-per-20-milliseconds", { q: 5, w: 1 }]);
  });
});

describe("refusal", () => {
  it("is a problem that says when to try again, in the body and in Retry-After", () => {
    const { admit, clock } = guarded();
    for (let n = 0; n < 5; n += 1) admit();
    clock.advance(17_300);
    const { status, headers, problem, body } = refusal(admit() as Refused);
    expect(status).toBe(429);
    expect(headers).toMatchObject({
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      "Retry-After": "43",
    });
    expect(JSON.parse(body)).toEqual(problem);
    expect(problem).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Request cannot be satisfied as assigned quota has been exceeded",
      status: 429,
      detail: "The limit of 5 requests per minute has been reached. Try again in 43 seconds.",
      "violated-policies": ["user-per-minute"],
      error: "Too many requests",
      retry_after_seconds: 43,
      waits_for: "window",
      affordable: { requests: 0, tokens: 1000 },
    });
  });

  it("names every limit that refuses, and uses the singular for one second", () => {
    const { admit, clock } = guarded("2/second; 2/hour token-bucket");
    admit();
    admit();
    clock.advance(10);
    const { problem } = refusal(admit() as Refused);
    expect(problem["violated-policies"]).toEqual(["user-per-second", "user-per-hour"]);
    expect(problem.detail).toBe(
      "The limit of 2 requests per hour has been reached. Try again in 30 minutes.",
    );
    const short = guarded("1/second");
    short.admit();
    expect(refusal(short.admit() as Refused).problem.detail).toContain("Try again in 1 second.");
  });

  it("has no Retry-After if no wait helps", () => {
    const { headers, problem } = refusal(guarded().admit({ tokens: 1001 }) as Refused);
    expect(headers).not.toHaveProperty("Retry-After");
    expect(problem).toMatchObject({ error: "Cost exceeds quota", retry_after_seconds: null });
    expect(problem.detail).toBe(
      "This request asks for more than the limit of 1000 tokens per 90 seconds ever allows.",
    );
  });

  it("is a 503 without quota fields if the store is down and a layer's outage policy is to refuse", async () => {
    const clock = fakeClock();
    const store = scriptedStore();
    const layers = [
      { name: "user", key: (key: string) => key, limits: "5/minute" },
      { name: "all", key: () => "all", limits: "1000/hour; 90 tokens/hour", outage: "refuse" as const },
    ];
    const limiter = createLimiter<string>({
      name: "chat",
      layers,
      store,
      clock,
      onError: () => {},
      onOutage: () => {},
    });
    store.mode = "reject";
    const { status, headers, problem, body } = refusal((await limiter.admit("a")) as Refused, {
      legacy: true,
    });
    expect(status).toBe(503);
    expect(headers).toEqual({
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      "Retry-After": "1",
      "Access-Control-Expose-Headers": "Retry-After",
    });
    expect(JSON.parse(body)).toEqual(problem);
    expect(problem).toEqual({
      type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
      title: "Request cannot be satisfied due to temporary server capacity constraints",
      status: 503,
      detail: "Requests cannot be counted at the moment. Please try again in 1 second.",
      "violated-policies": ["all-per-hour", "all-tokens-per-hour"],
      error: "Temporarily unavailable",
      retry_after_seconds: 1,
      waits_for: "window",
      affordable: { requests: 0, tokens: 0 },
    });
    expect(body).not.toContain("connection lost");
  });
});
