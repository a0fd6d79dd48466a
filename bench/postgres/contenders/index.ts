import type { Listed } from "../../shared-store/contender.ts";

/** All contenders over PostgreSQL, by name. */
export const postgresContenders: Readonly<Record<string, Listed>> = {
  headgate: {
    label: "headgate",
    kind: "headgate",
    note: "exact; all or nothing; does not wait for the disk",
    load: async () => (await import("../../shared-store/headgate.ts")).headgate,
  },
  "rate-limiter-flexible": {
    label: "rate-limiter-flexible, union",
    kind: "peer",
    note: "twice the quota around the end of a window; a refusal spends in the other layers; one key for all layers",
    load: async () => (await import("./rate-limiter-flexible.ts")).rateLimiterFlexible,
  },
  "bare-statement": {
    label: "a statement that returns 1",
    kind: "floor",
    note: "counts nothing",
    load: async () => (await import("./floors.ts")).bareStatement,
  },
};
