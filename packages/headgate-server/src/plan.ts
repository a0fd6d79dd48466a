import { InputError } from "./input-error.ts";
import { checkNames, checkNumber, fail, isObject, show } from "./options.ts";
import type { Group, Summary } from "./summary.ts";
import { count, money, percent } from "./words.ts";

/** A number, or a share of all decisions. */
export type Threshold = { readonly amount: number } | { readonly share: number };

/** The largest permitted effects of a change of policy. */
export interface Thresholds {
  /** Requests that the other policy refuses. */
  readonly refused?: Threshold | undefined;
  /** Requests that the other policy refuses and the log admitted. */
  readonly newlyRefused?: Threshold | undefined;
  readonly newlyAdmitted?: Threshold | undefined;
  /** Callers of newly refused requests. */
  readonly callers?: Threshold | undefined;
  /** What newly refused requests would have cost, in the currency. */
  readonly unspent?: Threshold | undefined;
}

/**
 * Reads `1%`, `0.5%` or `300`.
 *
 * @param option the option's name, for the message
 * @throws InputError
 */
export function readThreshold(option: string, text: string): Threshold {
  const found = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = Number(found?.[1]);
  if (found === null || (found[2] === "%" && value > 100))
    throw new InputError(
      `--${option} must be a number such as 300, or a share such as 1%, got ${JSON.stringify(text)}.`,
    );
  return found[2] === "%" ? { share: value / 100 } : { amount: value };
}

/**
 * Returns a sentence for each exceeded threshold; none if the plan passes.
 *
 * @throws HeadgateError `option-invalid` for an invalid threshold, which would never be exceeded
 */
export function beyond(summary: Summary, thresholds: Thresholds): string[] {
  checkThresholds(thresholds);
  const { decisions, callers, currency = "" } = summary;
  const over = (
    what: string,
    value: number,
    threshold: Threshold | undefined,
    whole: number,
    show = count,
  ): string[] => {
    if (threshold === undefined) return [];
    const most = "share" in threshold ? threshold.share * whole : threshold.amount;
    if (value <= most) return [];
    return [
      "share" in threshold
        ? `${what}: ${percent(value, whole)}; the maximum is ${Math.round(threshold.share * 1e6) / 1e4}%.`
        : `${what}: ${show(value)}; the maximum is ${show(most)}.`,
    ];
  };
  const ofGroup = (what: string, { decisions: value }: Group, threshold: Threshold | undefined) =>
    over(what, value, threshold, decisions);
  return [
    ...ofGroup("Refused", summary.replayed.refused, thresholds.refused),
    ...ofGroup("Newly refused", summary.newlyRefused, thresholds.newlyRefused),
    ...ofGroup("Newly admitted", summary.newlyAdmitted, thresholds.newlyAdmitted),
    ...over("Callers newly refused", summary.newlyRefused.callers, thresholds.callers, callers),
    ...over(
      "Unspent",
      summary.newlyRefused.money ?? 0,
      thresholds.unspent,
      summary.logged.admitted.money ?? 0,
      (amount) => money(amount, currency),
    ),
  ];
}

function checkThresholds(thresholds: Thresholds): void {
  const known = {
    refused: true,
    newlyRefused: true,
    newlyAdmitted: true,
    callers: true,
    unspent: true,
  } as const;
  checkNames("beyond", thresholds, known);
  for (const [name, threshold] of Object.entries(thresholds)) {
    if (threshold === undefined) continue;
    const { amount, share } = isObject(threshold) ? (threshold as { amount?: unknown; share?: unknown }) : {};
    if ((amount === undefined) === (share === undefined))
      fail(`${name} of beyond must be { amount: 300 } or { share: 0.01 }, got ${show(threshold)}.`);
    checkNumber(`amount of ${name}`, amount, 0, Number.MAX_SAFE_INTEGER);
    checkNumber(`share of ${name}`, share, 0, 1);
  }
}
