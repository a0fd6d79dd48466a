import type { LimitSet } from "../core/limit-set.ts";
import type { OutagePolicy } from "../core/outage-policy.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import type { Charge, Outcome, Reading } from "../core/store.ts";
import { mintRid } from "../reservation/rid.ts";
import type { Pace } from "./pace.ts";
import type { LocalLedger } from "./reconcile/local-ledger.ts";
import { shareOf } from "./share.ts";

interface Counted {
  readonly place: number;
  readonly layer: string;
  readonly charge: Charge;
  readonly refuses: boolean;
}

/**
 * Decides without the store: each layer by its outage policy. Layers that this process counts are charged all or none.
 *
 * @param processes how many processes share each quota, if a layer does not say it.
 * @param retryMs how long until the store is asked again.
 * @param pace spreads the local share, if the store is slow but not down.
 */
export function decideByPolicies(
  { layers, charges, hold, claim }: Question,
  policyOf: (layer: string) => OutagePolicy,
  ledger: LocalLedger,
  processes: number,
  now: number,
  peek: boolean,
  retryMs: number,
  pace?: Pace,
): Ruling {
  const counted: Counted[] = [];
  charges.forEach((charge, place) => {
    const layer = layers[place] as string;
    const outage = policyOf(layer);
    if (outage.policy === "admit") return;
    if (outage.policy === "local") {
      const limits = shareOf(charge.limits, outage.instances ?? processes);
      counted.push({ place, layer, charge: { ...charge, limits }, refuses: false });
    } else if (charge.needs.some((need) => need > 0)) {
      counted.push({ place, layer, charge, refuses: true });
    }
  });

  const own = counted.filter(({ refuses }) => !refuses).map(({ charge }) => charge);
  // Requests under way may go on: an extension is limited by the share alone.
  const paced = hold === undefined || hold.seq === 1 ? pace : undefined;
  const isEarly = paced !== undefined && own.some((charge) => paced.waitOf(charge, now) > 0);
  const refuses = own.length < counted.length || isEarly;
  // If the claim's layer is not counted in this process, there is no place to keep the claim.
  const claims = own.some(({ space, key }) => space === claim?.space && key === claim.key)
    ? claim
    : undefined;
  // An extension is held separately here: what the store holds has its own id. A new request is a reservation only if it
  // holds something here. Otherwise nothing renews it, and the ledger itself sends what it spent to the store.
  const isHeld = hold !== undefined && (hold.seq > 1 || claims !== undefined || own.some(holdsSomething));
  const mine = isHeld ? { rid: mintRid(), seq: 1 } : undefined;
  const outcome = ledger.decide(own.map(asAsked), now, peek || refuses, mine, claims);
  const ruling = {
    hold: mine,
    claim: claims,
    layers: counted.map(({ layer }) => layer),
    charges: counted.map(({ charge }) => charge),
    ledger,
    decidedBy: "outage-policy" as const,
    ...(counted.length < charges.length ? { places: counted.map(({ place }) => place) } : {}),
  };
  if (outcome.known !== undefined) return { ...ruling, outcome };
  if (outcome.admitted && !refuses) {
    if (!peek) paced?.note(own, now);
    return { ...ruling, outcome };
  }
  const { readings, unavailable } = refusedReadings(counted, charges, outcome, now, retryMs, paced);
  return { ...ruling, outcome: { admitted: false, now, readings, marks: [] }, unavailable };
}

function holdsSomething({ holds }: Charge): boolean {
  return holds?.some((amount) => amount > 0) === true;
}

/** Reduces a reservation's total to what it asks for now. The store applies overrides: this process only uses their limits. */
function asAsked(charge: Charge): Charge {
  const { override, holds, ...asked } = charge;
  if (holds === undefined) return override === undefined ? charge : asked;
  const { needs, spends } = charge;
  const more = holds.map((units, g) => (units > 0 ? Math.max(0, (needs[g] ?? 0) - (spends[g] ?? 0)) : 0));
  return { ...asked, holds: more };
}

function refusedReadings(
  counted: readonly Counted[],
  charges: readonly Charge[],
  outcome: Outcome,
  now: number,
  retryMs: number,
  pace: Pace | undefined,
): { readings: Reading[][]; unavailable: boolean } {
  let unavailable = false;
  let own = 0;
  const readings = counted.map(({ place, charge, refuses }) => {
    const whole = (charges[place] as Charge).limits;
    if (refuses) {
      unavailable = true;
      return whole.limits.map((_, l): Reading => {
        const waitMs = waitForStore(whole, l, charge, retryMs);
        return { remaining: 0, waitMs, resetMs: retryMs };
      });
    }
    const mine = outcome.readings[own] ?? [];
    own += 1;
    const paceMs = pace?.waitOf(charge, now) ?? 0;
    return mine.map((reading, l): Reading => {
      if (reading.waitMs !== Number.POSITIVE_INFINITY) {
        const ownMs = isNeeded(charge, l) ? Math.max(reading.waitMs, paceMs) : 0;
        if (pace === undefined || ownMs === 0) return reading;
        // The store is not down: it may admit this as soon as it is asked again.
        unavailable = true;
        const waitMs = Math.min(ownMs, retryMs);
        return { remaining: 0, waitMs, resetMs: waitMs };
      }
      // More than this process's share, but not more than the store would admit: that is worth waiting for.
      const waitMs = waitForStore(whole, l, charge, retryMs);
      if (waitMs !== Number.POSITIVE_INFINITY) unavailable = true;
      return { ...reading, waitMs };
    });
  });
  return { readings, unavailable };
}

function isNeeded({ limits, needs }: Charge, l: number): boolean {
  return (needs[limits.groupOf[l] ?? 0] ?? 0) > 0;
}

function waitForStore(whole: LimitSet, l: number, charge: Charge, retryMs: number): number {
  const need = charge.needs[whole.groupOf[l] ?? 0] ?? 0;
  if (need === 0) return 0;
  return need > (whole.limits[l]?.quota ?? 0) ? Number.POSITIVE_INFINITY : retryMs;
}
