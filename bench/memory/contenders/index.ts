import type { Kind } from "../../report/result.ts";
import type { MemoryContender } from "../contender.ts";

interface Listed {
  readonly label: string;
  readonly kind: Kind;
  /** What the contender does not guarantee, printed next to its figures. */
  readonly note: string;
  /** Loads only this contender, so that a process contains no code of other contenders. */
  open(): Promise<MemoryContender>;
}

const stacked = "twice the quota around the end of a window; a refusal spends in the layers before";

/** All contenders in memory, by name. */
export const memoryContenders: Readonly<Record<string, Listed>> = {
  headgate: {
    label: "headgate",
    kind: "headgate",
    note: "exact; all or nothing",
    open: async () => (await import("./headgate.ts")).slidingWindow,
  },
  "headgate-token-bucket": {
    label: "headgate, token-bucket",
    kind: "headgate",
    note: "up to 2q - 1 in a window, by design; all or nothing",
    open: async () => (await import("./headgate.ts")).tokenBucket,
  },
  hitlimit: {
    label: "@joint-ops/hitlimit × 3",
    kind: "peer",
    note: stacked,
    open: async () => (await import("./hitlimit.ts")).hitlimit,
  },
  "hono-rate-limiter": {
    label: "hono-rate-limiter × 3",
    kind: "peer",
    note: stacked,
    open: async () => (await import("./hono-rate-limiter.ts")).honoRateLimiter,
  },
  "fastify-rate-limit": {
    label: "@fastify/rate-limit × 3",
    kind: "peer",
    note: `${stacked}; with a large enough cache`,
    open: async () => (await import("./fastify-rate-limit.ts")).fastifyRateLimit,
  },
  "express-rate-limit": {
    label: "express-rate-limit × 3",
    kind: "peer",
    note: stacked,
    open: async () => (await import("./express-rate-limit.ts")).expressRateLimit,
  },
  "rate-limiter-flexible": {
    label: "rate-limiter-flexible, union",
    kind: "peer",
    note: "twice the quota around the end of a window; a refusal spends in the other layers; one key for all layers",
    open: async () => (await import("./rate-limiter-flexible.ts")).rateLimiterFlexible,
  },
  "empty-loop": {
    label: "empty loop",
    kind: "floor",
    note: "counts nothing",
    open: async () => (await import("./floors.ts")).emptyLoop,
  },
  "bare-map": {
    label: "fixed window, Map × 3",
    kind: "floor",
    note: "twice the quota around the end of a window; never forgets a caller",
    open: async () => (await import("./floors.ts")).bareMap,
  },
  "sliding-log": {
    label: "stamps in a list, Map × 2",
    kind: "floor",
    note: "exact; all or nothing; never forgets a caller; reports nothing",
    open: async () => (await import("./floors.ts")).slidingLog,
  },
  "gcra-map": {
    label: "GCRA, Map and Float64Array × 3",
    kind: "floor",
    note: "up to 2q - 1 in a window; forgets nobody",
    open: async () => (await import("./floors.ts")).gcraInMap,
  },
  "gcra-table": {
    label: "GCRA, table of hashes × 3",
    kind: "floor",
    note: "up to 2q - 1 in a window; never forgets a caller; keys of one hash share a quota",
    open: async () => (await import("./floors.ts")).gcraInTable,
  },
};
