import type { Limit } from "headgate";
import type { Counted } from "../counting/collector.ts";
import type { RefusalRecord } from "../counting/recent-refusals.ts";
import type { ShadowTotals } from "../counting/shadow-totals.ts";
import type { LimiterSummary, Totals } from "../counting/summary.ts";
import type { PolicyCheck, PolicyStanding, ShadowStanding } from "../policies/policy-desk.ts";
import type { PolicyMistake } from "../policies/read-policy.ts";
import type { Change, CostNow, Standing } from "./desk.ts";
import type { Operator } from "./operator-token.ts";

/** The API between the page and its server, which always have the same version. */

/** `GET api/session` */
export type Session =
  | { operator: Operator; features: Features; title: string }
  | { operator: null; asksForToken: boolean; link: Link | null; title: string };

export interface Features {
  /** How to type a caller; `null` if the console has no actions for callers. */
  callers: string | null;
  /** The currency; `null` if there is no credit. */
  credit: string | null;
  canSignOut: boolean;
}

/** Another place where an operator can sign in. */
export interface Link {
  href: string;
  label: string;
}

/** A refusal, with its caller in the form that the search accepts. */
export interface KnownRefusal extends RefusalRecord {
  of: string | null;
  /** The id by which the search finds it: its request id, unless that has the form of a caller. */
  foundBy: string | null;
}

/** `GET api/now` */
export interface Now extends Pick<Totals, "from" | "stepMs" | "series"> {
  at: number;
  processes: ProcessView[];
  /** Whether the summaries of other processes are read. */
  readsOthers: boolean;
  /** The number of summaries whose version this console cannot read. */
  unreadable: number;
  tops: TopView[];
  /** The last refusals of each limiter. */
  refusals: KnownRefusal[];
  policies: PolicyView[];
  /** `null` if the service has no credit, or does not report its cost. */
  cost: CostNow | null;
}

export interface ProcessView {
  id: string;
  name: string;
  startedAt: number;
  /** The age of the process's summary, in milliseconds; 0 for the process that responds. */
  ageMs: number;
  /**
   * `own`: the process that responds. `live`: a process that wrote recently. `silent`: a process that has ended or
   * cannot write.
   */
  state: "own" | "live" | "silent";
  limiters: LimiterSummary[];
}

export interface TopView {
  limiter: string;
  layer: string;
  kind: "refused" | "near";
  total: number;
  unseen: number;
  callers: { key: string; of: string | null; count: number; error: number }[];
}

/** The policy in force in the process that responds. */
export interface PolicyView {
  limiter: string;
  hash: string;
  layers: { name: string; limits: { plan: string | null; limits: string }[] }[];
  warnings: readonly string[];
}

/** `GET api/find?q=` */
export interface Found {
  refusal: KnownRefusal | null;
  /** If several refusals share the id: these refusals, newest first. `refusal` and `caller` are then `null`. */
  ambiguous: KnownRefusal[];
  caller: { of: string; standing: Standing } | null;
}

/** `GET api/changes` */
export interface Changes {
  inForce: Change[];
  log: Change[];
}

/** `GET api/policies` */
export interface Policies {
  limiters: LimiterPolicies[];
  /** Whether there is a decision log on which to try a policy. */
  canReplay: boolean;
  /** Whether the shadows' figures include other processes. */
  readsOthers: boolean;
}

export interface LimiterPolicies
  extends Omit<PolicyStanding, "shadow">,
    Pick<PolicyView, "layers" | "warnings"> {
  shadow: (ShadowStanding & { totals: ShadowTotals }) | null;
}

/** `POST api/policy/check` */
export type Checked = { check: PolicyCheck } | { mistake: PolicyMistake };

/** `POST api/decide`, `api/grant`, `api/code` */
export interface Done {
  said: string;
  standing?: Standing;
  code?: string;
}

export function policyView(limiter: Counted): PolicyView {
  const { hash, layers, warnings } = limiter.policy;
  return {
    limiter: limiter.name,
    hash,
    layers: layers.map(({ name, knownLimits }) => ({
      name,
      limits: knownLimits.map((set) => ({
        plan: set.plan ?? null,
        limits: set.word ?? set.limits.map(inWords).join("; "),
      })),
    })),
    warnings,
  };
}

const WINDOWS: [string, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

function inWords({ quota, unit, windowMs, algorithm, calendar }: Limit): string {
  if (algorithm === "concurrent") return `${quota} concurrent`;
  const amount = unit === "requests" ? String(quota) : `${quota} ${unit}`;
  const [name, ms] = WINDOWS.find(([, length]) => windowMs % length === 0) ?? ["ms", 1];
  const times = windowMs / ms;
  const window = calendar ?? (times === 1 ? name : `${times} ${name}s`);
  return `${amount}/${window}${algorithm === "sliding-window" ? "" : ` ${algorithm}`}`;
}
