import { type Cost, spentOf } from "./core/cost.ts";
import type { Ledger, Question, Ruling } from "./core/ruling.ts";
import type { Adjustment, Charge, Refund } from "./core/store.ts";

/** What was spent at one moment and may be given back. */
export interface Spending {
  readonly ledger: Ledger;
  readonly at: number;
  /** For each charge of the handle, for each group. */
  readonly marks: readonly (readonly number[])[];
  /** For each charge of the handle, the partition and the limits under which it was counted. */
  readonly counted: readonly Pick<Charge, "space" | "key" | "limits">[];
  /** For each charge of the handle, for each group. */
  readonly amounts: number[][];
}

/** Something given back of one spending. */
export interface Taken {
  readonly spending: Spending;
  readonly c: number;
  readonly g: number;
  readonly amount: number;
}

/** What has to be changed in one ledger. */
export interface Change {
  readonly ledger: Ledger;
  readonly adjustments: readonly Adjustment[];
  readonly taken: readonly Taken[];
  /** For each charge of the handle, for each group: what is spent on top. */
  readonly spends: number[][];
  /** Whether the adjustments are those of all charges of the handle, in their order. */
  readonly isHome: boolean;
}

/** The same partitions, asked for what is named and for nothing else. */
export function onTop({ layers, charges }: Question, cost: Cost): Question {
  return {
    layers,
    charges: charges.map((charge): Charge => {
      const spends = charge.limits.groups.map(({ unit }) =>
        Object.hasOwn(cost, unit) ? spentOf(cost, unit) : 0,
      );
      return { ...charge, needs: spends, spends };
    }),
  };
}

/**
 * @param charges what was asked.
 * @param places for each charge of the ruling, its place among `charges`; absent where they are one for one.
 */
export function spendingOf(
  { charges: counted, outcome, ledger }: Ruling,
  charges: readonly Charge[],
  places: readonly number[] | undefined,
): Spending {
  const { now: at, marks } = outcome;
  if (places === undefined) return { ledger, at, marks, counted, amounts: charges.map(copySpends) };
  const aligned = charges.map((charge, c) => {
    const p = places.indexOf(c);
    const mine = counted[p];
    return mine === undefined
      ? { charge, marks: [], amounts: charge.spends.map(() => 0) }
      : { charge: mine, marks: marks[p] ?? [], amounts: copySpends(mine) };
  });
  return {
    ledger,
    at,
    marks: aligned.map((one) => one.marks),
    counted: aligned.map((one) => one.charge),
    amounts: aligned.map((one) => one.amounts),
  };
}

function copySpends({ spends }: Charge): number[] {
  return [...spends];
}

/** For each charge, for each group: what is charged. */
export function totalsOf(spendings: readonly Spending[], charges: readonly Charge[]): number[][] {
  return charges.map(({ limits }, c) =>
    limits.groups.map((_, g) => spendings.reduce((sum, { amounts }) => sum + (amounts[c]?.[g] ?? 0), 0)),
  );
}

/**
 * The changes that make what is charged what is wanted. What they give back is taken out of the spendings at once,
 * so that nothing is given back twice.
 *
 * @param home the ruling by which the request was admitted: its ledger is charged where more is wanted.
 */
export function changesBetween(
  spendings: readonly Spending[],
  wanted: readonly (readonly number[])[],
  charges: readonly Charge[],
  home: Ruling,
): Change[] {
  const taken: Taken[] = [];
  let more = false;
  const spends = totalsOf(spendings, charges).map((amounts, c) =>
    amounts.map((charged, g) => {
      const change = (wanted[c]?.[g] ?? charged) - charged;
      if (change > 0) more = true;
      if (change < 0) taken.push(...takeBack(spendings, c, g, -change));
      return Math.max(0, change);
    }),
  );

  const ledgers = new Set(taken.map(({ spending }) => spending.ledger));
  if (more) ledgers.add(home.ledger);
  return [...ledgers].map((ledger) => {
    const mine = taken.filter(({ spending }) => spending.ledger === ledger);
    const isHome = ledger === home.ledger;
    const adjustments = isHome
      ? home.charges.map((charge, c) => adjustmentOf(charge, refundsOf(mine, c), spends[c] ?? []))
      : charges.flatMap((_, c) => elsewhere(mine, c));
    return { ledger, adjustments, taken: mine, spends: isHome ? spends : [], isHome };
  });
}

function takeBack(spendings: readonly Spending[], c: number, g: number, amount: number): Taken[] {
  const taken: Taken[] = [];
  let left = amount;
  for (const spending of spendings.toReversed()) {
    const amounts = spending.amounts[c] as number[];
    const given = Math.min(left, amounts[g] as number);
    if (given === 0) continue;
    amounts[g] = (amounts[g] as number) - given;
    left -= given;
    taken.push({ spending, c, g, amount: given });
  }
  return taken;
}

function refundsOf(taken: readonly Taken[], c: number): Refund[] {
  return taken
    .filter((one) => one.c === c)
    .map(({ spending, g, amount }) => ({
      group: g,
      amount,
      chargedAt: spending.at,
      mark: spending.marks[c]?.[g] ?? 0,
    }));
}

function elsewhere(taken: readonly Taken[], c: number): Adjustment[] {
  const counted = taken.find((one) => one.c === c)?.spending.counted[c];
  if (counted === undefined) return [];
  return [
    adjustmentOf(
      counted,
      refundsOf(taken, c),
      counted.limits.groups.map(() => 0),
    ),
  ];
}

function adjustmentOf(
  { space, key, limits }: Spending["counted"][number],
  refunds: readonly Refund[],
  spends: readonly number[],
): Adjustment {
  return { space, key, limits, refunds, renewals: [], spends };
}

/** Whether what was wanted so long ago concerns only windows that are over by now, whatever the algorithm. */
export function wantsNothing(since: number, charges: readonly Charge[], now: number): boolean {
  let longest = 0;
  for (const { limits } of charges)
    for (const { windowMs } of limits.limits) longest = Math.max(longest, windowMs);
  return longest > 0 && now - since >= 2 * longest;
}
