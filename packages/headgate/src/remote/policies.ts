import type { LimitSet } from "../core/limit-set.ts";
import type { OutagePolicy } from "../core/outage-policy.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import type { Charge, Outcome, Reading } from "../core/store.ts";
import { mintRid } from "../reservation/rid.ts";
import type { LocalLedger } from "./reconcile/local-ledger.ts";
import { shareOf } from "./share.ts";

interface Counted {
  readonly place: number;
  readonly layer: string;
  readonly charge: Charge;
  readonly refuses: boolean;
}

/**
 * Decides without the store: each layer by its outage policy, all or nothing over those that this process counts.
 *
 * @param processes how many share each quota, where a layer does not say it.
 * @param retryMs how long until the store is asked again.
 */
export function decideByPolicies(
  { layers, charges, hold, claim }: Question,
  policyOf: (layer: string) => OutagePolicy,
  ledger: LocalLedger,
  processes: number,
  now: number,
  peek: boolean,
  retryMs: number,
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
  const refuses = own.length < counted.length;
  // An extension is held separately here: what the store holds has its own id.
  const mine = hold === undefined ? undefined : { rid: mintRid(), seq: 1 };
  // Where the claim's own layer is not counted here, nobody could keep it.
  const claims = own.some(({ space, key }) => space === claim?.space && key === claim.key)
    ? claim
    : undefined;
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
  if ((outcome.admitted && !refuses) || outcome.known !== undefined) return { ...ruling, outcome };
  const { readings, unavailable } = refusedReadings(counted, charges, outcome, retryMs);
  return { ...ruling, outcome: { admitted: false, now, readings, marks: [] }, unavailable };
}

/** Of what a reservation holds in all, only what it asks for now. Overrides are the store's: this process counts by their limits. */
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
  retryMs: number,
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
    return mine.map((reading, l): Reading => {
      if (reading.waitMs !== Number.POSITIVE_INFINITY) return reading;
      // More than this process's share, but not more than the store would admit: that is worth waiting for.
      const waitMs = waitForStore(whole, l, charge, retryMs);
      if (waitMs !== Number.POSITIVE_INFINITY) unavailable = true;
      return { ...reading, waitMs };
    });
  });
  return { readings, unavailable };
}

function waitForStore(whole: LimitSet, l: number, charge: Charge, retryMs: number): number {
  const need = charge.needs[whole.groupOf[l] ?? 0] ?? 0;
  if (need === 0) return 0;
  return need > (whole.limits[l]?.quota ?? 0) ? Number.POSITIVE_INFINITY : retryMs;
}
