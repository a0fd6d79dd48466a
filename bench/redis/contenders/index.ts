import type { Listed } from "../../shared-store/contender.ts";

const stacked =
  "twice the quota around the end of a window; a refusal spends in the layers before; a call for each layer";

/** All contenders over Redis, by name. */
export const redisContenders: Readonly<Record<string, Listed>> = {
  headgate: {
    label: "headgate (ioredis)",
    kind: "headgate",
    note: "exact; all or nothing; one call for all layers",
    load: async () => (await import("../../shared-store/headgate.ts")).headgate,
  },
  "rate-limit-redis": {
    label: "rate-limit-redis × 3 (node-redis)",
    kind: "peer",
    note: stacked,
    load: async () => (await import("./rate-limit-redis.ts")).rateLimitRedis,
  },
  "fastify-rate-limit": {
    label: "@fastify/rate-limit × 3 (ioredis)",
    kind: "peer",
    note: stacked,
    load: async () => (await import("./fastify-rate-limit.ts")).fastifyRateLimit,
  },
  "rate-limiter-flexible": {
    label: "rate-limiter-flexible, union (ioredis)",
    kind: "peer",
    note: "twice the quota around the end of a window; a refusal spends in the other layers; a call for each layer; one key for all layers",
    load: async () => (await import("./rate-limiter-flexible.ts")).withoutBlocks,
  },
  "rate-limiter-flexible-blocks": {
    label: "the same with inMemoryBlockOnConsumed",
    kind: "peer",
    note: "the same; blocks callers locally, layer by layer, once refused calls exceed each quota",
    load: async () => (await import("./rate-limiter-flexible.ts")).withBlocks,
  },
  "packed-script": {
    label: "one script, three GCRA in one string (ioredis)",
    kind: "floor",
    note: "up to 2q - 1 in a window; one key for all layers; reports no remaining quota",
    load: async () => (await import("./floors.ts")).packedScript,
  },
  "bare-script": {
    label: "a script that returns 1 (ioredis)",
    kind: "floor",
    note: "counts nothing",
    load: async () => (await import("./floors.ts")).bareScript,
  },
  "refused-until": {
    label: "a Map of refused callers and their deadlines",
    kind: "floor",
    note: "calls no server, admits nobody; one lookup for all layers; reports nothing",
    load: async () => (await import("./refusing.ts")).refusedUntil,
  },
  "saying-no": {
    label: "an async function that returns false",
    kind: "floor",
    note: "the cost of the measurement itself",
    load: async () => (await import("./refusing.ts")).sayingNo,
  },
};

/** The floors that only refuse. */
export const refusingFloors: readonly string[] = ["refused-until", "saying-no"];
