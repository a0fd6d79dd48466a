import { APICallError, RetryError } from "ai";
import { describe, expect, it } from "vitest";
import { describeFailure, EmptyAnswerError, ModelTimeoutError, modelFailure } from "./failure.ts";

const secret = "sk-secret-123";
const call = (statusCode: number | undefined, responseBody = `{"error":"${secret}"}`, cause?: unknown) =>
  new APICallError({
    message: `Failed with ${secret}`,
    url: `https://internal.example/${secret}`,
    requestBodyValues: { secret },
    responseBody,
    cause,
    ...(statusCode === undefined ? {} : { statusCode }),
  });
const connection = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.1:443`), { code });

describe("a model's failure", () => {
  it.each([
    [call(429), 503, "model_rate_limited"],
    [call(429, '{"error":{"code":"insufficient_quota"}}'), 502, "model_out_of_quota"],
    [call(401), 502, "model_key_refused"],
    [call(403), 502, "model_key_refused"],
    [call(404), 502, "model_not_found"],
    [call(400, '{"error":{"code":"context_length_exceeded"}}'), 502, "conversation_too_long"],
    [call(400, '{"error":{"message":"prompt is too long: 250000 tokens"}}'), 502, "conversation_too_long"],
    [call(413), 502, "conversation_too_long"],
    [call(500), 503, "model_overloaded"],
    [call(529), 503, "model_overloaded"],
    [call(504), 504, "model_timed_out"],
    [call(400), 502, "model_failed"],
    [call(undefined, "", connection("ECONNREFUSED")), 502, "model_unreachable"],
    [new TypeError("fetch failed", { cause: connection("ENOTFOUND") }), 502, "model_unreachable"],
    [new TypeError("terminated"), 502, "model_unreachable"],
    [call(200, "", new TypeError("terminated")), 502, "model_unreachable"],
    [new ModelTimeoutError("First chunk timeout of 60000ms exceeded"), 504, "model_timed_out"],
    [new DOMException("timed out", "TimeoutError"), 504, "model_timed_out"],
    [new EmptyAnswerError(), 502, "model_failed"],
    ["a string", 502, "model_failed"],
    [undefined, 502, "model_failed"],
    [{ message: "overloaded" }, 502, "model_failed"],
  ])("%s", (error, status, code) => {
    expect(modelFailure(error)).toMatchObject({ status, code });
  });

  it("is the failure of the last attempt, if there were several", () => {
    const error = new RetryError({
      message: "Failed after 2 attempts",
      reason: "maxRetriesExceeded",
      errors: [call(500), call(429)],
    });
    expect(modelFailure(error).code).toBe("model_rate_limited");
    expect(describeFailure(error)).toEqual({ name: "AI_APICallError", statusCode: 429 });
  });

  it("never repeats a provider's message", () => {
    for (const status of [400, 401, 403, 404, 408, 413, 429, 500, 503, undefined]) {
      const error = call(status);
      const told = JSON.stringify([modelFailure(error), describeFailure(error)]);
      expect(told).not.toMatch(/secret|internal|https?:/);
    }
  });
});
