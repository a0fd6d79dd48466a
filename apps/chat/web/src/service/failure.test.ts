import { PaymentRequiredError, RateLimitedError } from "headgate/client";
import { expect, test } from "vitest";
import { failureOf, ServiceError } from "./failure.ts";

const online = { online: true };

test("a rate-limit refusal and a credit refusal are never confused", () => {
  const refused = new RateLimitedError({
    status: 429,
    deadline: 1,
    retryAfterMs: 1,
    problem: undefined,
    quota: undefined,
  });
  expect(failureOf(refused, online)).toMatchObject({ kind: "refused" });
  const problem = { balance: 0, currency: "GBP", monthly_allowance: 1, renews_at: "2026-12-01T00:00:00Z" };
  expect(failureOf(new PaymentRequiredError(problem), online)).toMatchObject({ kind: "unpaid", problem });
});

test("a 402 without a balance, from a proxy, does not open the paywall", () => {
  expect(failureOf(new PaymentRequiredError(undefined), online)).toMatchObject({ kind: "rejected" });
});

test("a network error is offline only if navigator.onLine is false", () => {
  const error = new TypeError("Failed to fetch");
  expect(failureOf(error, { online: false })).toEqual({ kind: "offline" });
  expect(failureOf(error, online)).toEqual({ kind: "unreachable" });
});

test("an answer that fails after it has begun counts as broken off, whatever the reason", () => {
  expect(failureOf(new TypeError("network error"), { online: true, begun: true })).toEqual({
    kind: "broken-off",
    connection: true,
  });
  expect(failureOf(new Error("The model failed."), { online: true, begun: true })).toEqual({
    kind: "broken-off",
    connection: false,
  });
});

test.each([
  [401, {}, { kind: "signed-out" }],
  [403, { detail: "This caller is blocked.", request_id: "r" }, { kind: "blocked", requestId: "r" }],
  [
    403,
    { error: "model_not_allowed", detail: "You can use small." },
    { kind: "rejected", detail: "You can use small." },
  ],
  [
    403,
    { error: "cross_origin", detail: "From another site." },
    { kind: "rejected", detail: "From another site." },
  ],
  [404, { detail: "There is no such conversation." }, { kind: "gone" }],
  [500, { detail: "stack", request_id: "r" }, { kind: "server", requestId: "r" }],
  [502, { detail: "The model is busy.", request_id: "r" }, { kind: "model", detail: "The model is busy." }],
  [504, { detail: "Too slow." }, { kind: "model", detail: "Too slow." }],
  [502, {}, { kind: "unreachable" }],
  [503, { detail: "The service is restarting.", error: "stopping" }, { kind: "unreachable" }],
  [413, { detail: "Too long." }, { kind: "rejected", detail: "Too long." }],
  [
    400,
    { fields: [{ path: "messages", message: "should not be empty" }] },
    { detail: "should not be empty" },
  ],
])(
  "a response with status %d and the body %j becomes a failure of the expected kind",
  (status, problem, failure) => {
    expect(failureOf(new ServiceError(status, problem), online)).toMatchObject(failure);
  },
);
