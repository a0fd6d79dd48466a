/**
 * Uses the subpaths that need no other package, with only Node's types installed. Its second part consists of mistakes,
 * each of which a compiler must find.
 */
export const lonely = `
import { createLimiter, guard } from "headgate";
import * as client from "headgate/client";
import * as durableObject from "headgate/durable-object";
import { rateLimit } from "headgate/fetch";
import * as http from "headgate/http";
import * as next from "headgate/next";
import * as node from "headgate/node";
import * as postgres from "headgate/postgres";
import * as redis from "headgate/redis";
import * as testing from "headgate/testing";

export const all = [client, durableObject, http, next, node, postgres, redis, testing];
const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "user", key: (user: string) => user, limits: "5/minute; 100 tokens/day" }],
  units: ["pages"],
});
const caller = () => "ann";
export const costs = () => [
  limiter.admit("ann", { cost: { tokens: 1, pages: 1 } }),
  rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, pages: 1 }) }),
  guard(limiter, (words: string) => words.length, { caller, used: (tokens) => ({ tokens }) }),
  // @ts-expect-error a unit that no limit counts
  limiter.admit("ann", { cost: { tokens: 1, tokne: 1 } }),
  // @ts-expect-error a unit that no limit counts, from a function
  rateLimit(limiter, { caller, cost: ({ url }) => ({ tokens: url.length, tokne: 1 }) }),
  // @ts-expect-error the same in a promise
  rateLimit(limiter, { caller, cost: async ({ url }) => ({ tokens: url.length, tokne: 1 }) }),
  // @ts-expect-error the same in what a call has used
  guard(limiter, (words: string) => words.length, { caller, used: (tokne) => ({ tokne }) }),
  // @ts-expect-error an option that does not exist
  createLimiter({ name: "chat", layers: [{ name: "user", key: caller, limits: "5/minute", outgae: "admit" }] }),
  // @ts-expect-error a caller without a field that the key needs
  limiter.admit({ user: "ann" }),
];
const key = (user: string) => user;
export const mistakes = () => [
  // @ts-expect-error a limiter without a name
  createLimiter({ layers: [{ name: "user", key, limits: "5/minute" }] }),
  // @ts-expect-error a layer without limits
  createLimiter({ name: "chat", layers: [{ name: "user", key }] }),
  // @ts-expect-error plans without a defaultPlan
  createLimiter({ name: "chat", layers: [{ name: "user", key, plans: { free: "5/minute" }, plan: () => "free" }] }),
  // @ts-expect-error limits of the caller without defaultLimits and units
  createLimiter({ name: "chat", layers: [{ name: "user", key, limits: () => "5/minute" }] }),
  // @ts-expect-error a key that is a promise
  createLimiter({ name: "chat", layers: [{ name: "user", key: async (user: string) => user, limits: "5/minute" }] }),
  // @ts-expect-error a key that is an object
  createLimiter({ name: "chat", layers: [{ name: "user", key: (user: string) => ({ user }), limits: "5/minute" }] }),
  // @ts-expect-error an outage policy that does not exist
  createLimiter({ name: "chat", layers: [{ name: "user", key, limits: "5/minute", outage: "open" }] }),
  // @ts-expect-error an option of another library
  createLimiter({ name: "chat", layers: [{ name: "user", key, limits: "5/minute" }], windowMs: 60_000 }),
  // @ts-expect-error a client of Redis in place of a store
  createLimiter({ name: "chat", layers: [{ name: "user", key, limits: "5/minute" }], store: new Map() }),
  // @ts-expect-error options of another library in place of a limiter
  rateLimit({ windowMs: 60_000, limit: 5 }, { caller }),
  // @ts-expect-error no caller
  rateLimit(limiter, {}),
  // @ts-expect-error a caller that is no function
  rateLimit(limiter, { caller: "ip" }),
  // @ts-expect-error a misspelt option of a guard
  rateLimit(limiter, { caller, skipp: () => true }),
  // @ts-expect-error a refundWhen that is a promise
  rateLimit(limiter, { caller, refundWhen: async () => true }),
  // @ts-expect-error methods are written in capitals
  client.createClient({ retry: { maxWaitMs: 5000, methods: ["post"] } }),
  // @ts-expect-error a retry that never retries
  client.createClient({ retry: {} }),
];
`;
