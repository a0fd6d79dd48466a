/** A program that uses every subpath. */
export const program = `
import { createLimiter, memoryStore, parseLimits, HeadgateError } from "headgate";
import { callerAddress, rateLimitFields, refusal } from "headgate/http";
import { createClient, PaymentRequiredError, RateLimitedError } from "headgate/client";
import { QuotaMeter, RateLimitNotice, useCountdown, useRateLimit } from "headgate/react";
import { fakeClock, storeSuite } from "headgate/testing";
import { redisStore } from "headgate/redis";
import { durableObjectStore, LimiterObject } from "headgate/durable-object";
import { postgresStore } from "headgate/postgres";
import { rateLimit as fetchLimit } from "headgate/fetch";
import { rateLimit as honoLimit } from "headgate/hono";
import { rateLimit as nodeLimit } from "headgate/node";
import { rateLimit as expressLimit } from "headgate/express";
import { rateLimit as fastifyLimit } from "headgate/fastify";
import { rateLimit as koaLimit } from "headgate/koa";
import * as next from "headgate/next";
import * as nest from "headgate/nest";
import { bearerIdentity } from "headgate/identity";
import { estimateTokens, meter, openaiChat } from "headgate/ai";
import { observe } from "headgate/otel";
import { decisionLog, logFiles } from "headgate/log";
import { readPolicyDocument } from "headgate/policy-document";
import { webhook } from "headgate/webhook";

const limiter = createLimiter({
  name: "chat",
  layers: [
    { name: "user", key: (caller: { user?: string; ip: string }) => caller.user ?? caller.ip, limits: "5/minute; 100 tokens/day" },
    { name: "org", key: () => "acme", plans: { free: "9 images/day", staff: "unlimited" }, plan: () => "free", defaultPlan: "free" },
  ],
  units: ["seconds"],
  store: memoryStore(),
});
export const costs = () => [
  limiter.admit({ ip: "203.0.113.7" }, { cost: { requests: 1, tokens: 900, images: 1, seconds: 1 } }),
  // @ts-expect-error a unit that no limit counts
  limiter.admit({ ip: "203.0.113.7" }, { cost: { token: 900 } }),
  () => expressLimit(limiter, { caller: () => ({ ip: "203.0.113.7" }), cost: ({ url }) => ({ requests: 1, tokens: url.length }) }),
  // @ts-expect-error a unit that no limit counts, beside one that some does
  () => expressLimit(limiter, { caller: () => ({ ip: "203.0.113.7" }), cost: ({ url }) => ({ requests: 1, tokne: url.length }) }),
  // @ts-expect-error the same in a promise
  () => fetchLimit(limiter, { caller: () => ({ ip: "203.0.113.7" }), cost: async ({ url }) => ({ tokens: 1, tokne: url.length }) }),
  // @ts-expect-error a limiter needs a name
  () => createLimiter({ layers: [{ name: "user", key: () => "ann", limits: "5/minute" }] }),
];
export async function ask(): Promise<number> {
  const admission = await limiter.admit({ ip: "203.0.113.7" });
  // @ts-expect-error a caller without what the key needs
  limiter.admit({ name: "ada" });
  if (!admission.admitted) return admission.retryAfterSeconds;
  await using held = admission;
  return held.limits.length;
}
const client = createClient({ retry: { maxWaitMs: 1000 } });
const send: typeof fetch = client.fetch;
export const left: number | undefined = client.quota()?.tightest?.remaining;
export const all = [
  parseLimits, HeadgateError, callerAddress, rateLimitFields, refusal, PaymentRequiredError, RateLimitedError, send,
  QuotaMeter, RateLimitNotice, useCountdown, useRateLimit, fakeClock, storeSuite, redisStore, postgresStore, durableObjectStore, LimiterObject, fetchLimit,
  honoLimit, nodeLimit, expressLimit, fastifyLimit, koaLimit, next, nest, bearerIdentity,
  estimateTokens, meter, openaiChat, () => observe(limiter),
  () => decisionLog({ writer: logFiles("decisions"), secret: "sixteen characters" }).record(limiter), readPolicyDocument,
  () => webhook(limiter, { url: "https://example.com/hooks", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }),
];
`;
