/** What a decision depends on, and how a measurement makes it so. */
export interface Situation {
  readonly label: string;
  readonly note?: string;
  /** The limits of each layer; every layer has a key of its own for each caller. */
  readonly layers: readonly string[];
  readonly callers: number;
  /** Before the measurement, every caller sends `visits` requests of this cost, each `everyMs` after the last. */
  readonly before: { readonly visits: number; readonly cost: number; readonly everyMs: number };
  /** The time between two requests of a caller during the measurement. */
  readonly everyMs: number;
  /** What is there besides. */
  readonly company?: Company;
}

export type Company = "algorithms" | "metrics" | "overrides" | "holds";

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A little slower than the limits allow, so that all are admitted while the logs stay full. */
const slowly = 1.05;

/** 50 callers who use an hour's quota steadily: their logs are full, and each request replaces an entry. */
function steady(label: string, layers: readonly string[], more: Partial<Situation> = {}): Situation {
  const everyMs = slowly * minuteMs;
  return { label, layers, callers: 50, before: { visits: 60, cost: 1, everyMs }, everyMs, ...more };
}

/** One caller who uses a day's quota steadily. Large quotas are filled by fewer requests of a higher cost. */
function daily(quota: number): Situation {
  const visits = Math.min(quota, 1_024);
  const cost = Math.floor((quota / visits) * 0.98) || 1;
  return {
    label: `${quota}/day`,
    layers: [`${quota}/day`],
    callers: 1,
    before: { visits, cost, everyMs: slowly * (dayMs / visits) },
    everyMs: slowly * (dayMs / quota),
  };
}

function times<Value>(count: number, make: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

export const alone = "alone";
export const otherAlgorithms = "with limiters of three other algorithms";
export const company: readonly Situation[] = [
  steady(alone, ["5/minute; 60/hour"]),
  steady("with metrics", ["5/minute; 60/hour"], {
    company: "metrics",
    note: "`headgate/otel` over OpenTelemetry's SDK",
  }),
  steady("with an override of each caller", ["5/minute; 60/hour"], { company: "overrides" }),
  steady("with a place held by each caller", ["5/minute; 60/hour; 10 concurrent per day"], {
    company: "holds",
    note: "an open request of the caller holds a place; the requests that are measured need none",
  }),
  steady(otherAlgorithms, ["5/minute; 60/hour"], {
    company: "algorithms",
    note: "in the same process and store; they decide between the measurements",
  }),
];

const counts = [1, 2, 3, 4, 5, 6, 7, 8];
export const layers: readonly Situation[] = counts.map((count) =>
  steady(
    many(count, "layer"),
    times(count, () => "60/hour"),
  ),
);

export const limits: readonly Situation[] = [1, 2, 4, 8, 12, 16, 20].map((count) =>
  steady(many(count, "limit"), [
    times(count, (index) => `${60 + index} per ${60 + index} minutes`).join("; "),
  ]),
);

export const usual = "60/day";
export const large = "100000/day";
export const quotas: readonly Situation[] = [60, 5, 1_000, 10_000, 100_000].map(daily);

/** The same situation with few callers and requests before it, to check only that it works. */
export function shortened(situation: Situation): Situation {
  const { callers, before } = situation;
  return {
    ...situation,
    callers: Math.min(callers, 5),
    before: { ...before, visits: Math.min(before.visits, 10) },
  };
}

function many(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
