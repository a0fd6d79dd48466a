import type { Holdings } from "../../core/holdings.ts";
import { compileLimits } from "../../core/limit-set.ts";
import { coreTransitions as core, type Transitions } from "./transitions.ts";
import type { ClientFaults, Setting } from "./world.ts";

/** A possible fault, and the invariants that find it. */
export interface Mutant {
  readonly name: string;
  readonly breaks: RegExp;
  readonly transitions?: Partial<Transitions>;
  readonly faults?: ClientFaults;
  /** Changes to the default setting that are needed to find the fault. */
  readonly setting?: Partial<Setting>;
  readonly limits?: string;
}

const windowMs = 60_000;
const idLimits = "2 tokens/minute sliding-window; 3/minute";
/** The key under which a mutant records the admission time. No unit has this name. */
const admittedAt = "admitted at";

const noteAdmission: Transitions["hold"] = (holdings, hold, portions, now, leaseMs) => {
  core.hold(holdings, hold, portions, now, leaseMs);
  const used = holdings.entries.get(hold.rid)?.used;
  if (used?.has(admittedAt) === false) used.set(admittedAt, now);
};

function drop(holdings: Holdings, rid: string): void {
  const entry = holdings.entries.get(rid);
  if (entry === undefined || entry.held.size === 0) return;
  for (const [unit, amount] of entry.held) holdings.held.set(unit, (holdings.held.get(unit) ?? 0) - amount);
  entry.held.clear();
  holdings.holding -= 1;
}

export const mutants: readonly Mutant[] = [
  {
    name: "no tombstone",
    breaks: /^[456]:/,
    transitions: {
      adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed) {
        core.adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed);
        if (adjustment.ended) holdings.entries.delete(adjustment.rid);
      },
    },
  },
  {
    name: "an extension that creates a reservation",
    breaks: /^[456]:/,
    transitions: {
      standingOf(holdings, hold, more) {
        const standing = core.standingOf(holdings, hold, more);
        return standing === "ended" && hold.seq > 1 ? "open" : standing;
      },
    },
  },
  {
    name: "an extension that restores a lapsed hold without checking for room",
    breaks: /^[12]:/,
    setting: { asks: [2], clients: 2 },
    transitions: {
      heldBy: (holdings, rid, unit) =>
        holdings?.entries.get(rid)?.lapsed ? 2 : core.heldBy(holdings, rid, unit),
    },
  },
  {
    name: "a late end that is dropped",
    breaks: /^4:/,
    transitions: {
      adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed) {
        const isLate = adjustment.ended && holdings.entries.get(adjustment.rid)?.lapsed;
        core.adjustHoldings(holdings, adjustment, units, now, leaseMs, isLate ? () => [] : changeUsed);
      },
    },
  },
  {
    name: "a late end that is charged at every arrival",
    breaks: /^4:/,
    transitions: {
      adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed) {
        const entry = holdings.entries.get(adjustment.rid);
        if (entry?.ended && entry.lapsed) changeUsed("tokens", adjustment.used[0] ?? 0, undefined);
        core.adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed);
      },
    },
  },
  {
    name: "a hold that ages out of the window",
    breaks: /^[12]:/,
    setting: { calls: 4 },
    transitions: {
      hold: noteAdmission,
      lapse(holdings, now) {
        core.lapse(holdings, now);
        for (const [rid, { used }] of holdings.entries)
          if ((used.get(admittedAt) ?? now) + windowMs <= now) drop(holdings, rid);
      },
    },
  },
  {
    name: "a charge at the time of the admission",
    breaks: /^[12]:/,
    setting: { calls: 4 },
    transitions: {
      hold: noteAdmission,
      adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed) {
        const at = holdings.entries.get(adjustment.rid)?.used.get(admittedAt);
        core.adjustHoldings(holdings, adjustment, units, now, leaseMs, (unit, change, last) =>
          changeUsed(unit, change, last, at),
        );
      },
    },
  },
  {
    name: "a hold without an end",
    breaks: /^[58]:/,
    transitions: { lapse() {} },
  },
  {
    name: "differences instead of totals: a repeated report counts twice",
    breaks: /^[1246]:/,
    transitions: {
      adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed) {
        const { rid, ended, used, known } = adjustment;
        if (!ended && (used[0] ?? 0) > (known[0] ?? 0) && holdings.entries.get(rid)?.seq === adjustment.seq)
          changeUsed("tokens", (used[0] ?? 0) - (known[0] ?? 0), undefined);
        core.adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed);
      },
    },
  },
  {
    name: "no refund of a charge whose answer was lost",
    breaks: /^6:/,
    setting: { calls: 2 },
    limits: "2 tokens/minute sliding-window; 2/minute",
    transitions: {
      adjustHoldings(holdings, adjustment, units, now, leaseMs, changeUsed) {
        core.adjustHoldings(holdings, adjustment, units, now, leaseMs, (unit, change) =>
          changeUsed(unit, change, undefined),
        );
      },
    },
  },
  {
    name: "a repeated ask that is admitted again",
    breaks: /^[345]:/,
    setting: { asks: [1] },
    transitions: {
      standingOf(holdings, hold, more) {
        const standing = core.standingOf(holdings, hold, more);
        return standing === "applied" ? "open" : standing;
      },
    },
  },
  {
    name: "a wait that ignores leases",
    breaks: /^8:/,
    transitions: {
      waitFor: (holdings, unit, _quota, _now, need, windowWait) => ({
        ms: windowWait(need === 0 ? 0 : need + core.heldOf(holdings, unit)),
        holders: false,
      }),
    },
  },
  {
    name: "held units are shown as free",
    breaks: /^8:/,
    transitions: { heldOf: () => 0 },
  },
  {
    name: "an override that applies to only some requests",
    breaks: /^9:/,
    setting: { asks: [2], overriding: [compileLimits("layer", "1 tokens/minute sliding-window")] },
    transitions: { refusedByOverrides: () => undefined },
  },
  {
    name: "an override that forgets what was used",
    breaks: /^[189]:/,
    setting: { overriding: [compileLimits("layer", "1 tokens/minute sliding-window")] },
    transitions: { override: (counts) => counts.clear() },
  },
  {
    name: "a take-over of an id that pays again",
    breaks: /^7:/,
    setting: { clients: 2, claims: true },
    limits: idLimits,
    transitions: { withoutRequests: (charges) => [...charges] },
  },
  {
    name: "an id that is forgotten with its lease",
    breaks: /^7:/,
    setting: { clients: 2, claims: true },
    limits: idLimits,
    transitions: {
      meetClaim: (record, claim, rid, now) =>
        core.meetClaim(record?.done === false && record.until <= now ? undefined : record, claim, rid, now),
    },
  },
  {
    name: "an id that two requests may answer",
    breaks: /^7:/,
    setting: { clients: 2, claims: true },
    limits: idLimits,
    transitions: {
      meetClaim(record, claim, rid, now) {
        const met = core.meetClaim(record, claim, rid, now);
        return typeof met !== "number" && met.state === "running" ? 2 : met;
      },
    },
  },
  {
    name: "a client that trusts an answer that came after its lease",
    breaks: /^2:/,
    faults: { trustsLateAnswers: true },
  },
  {
    name: "a client that reports while the answer to an extension is on its way",
    breaks: /^2:/,
    faults: { overlaps: true },
    setting: { asks: [1], calls: 3 },
  },
];
