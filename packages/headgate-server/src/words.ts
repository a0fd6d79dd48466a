import type { Group, Summary } from "./summary.ts";

export function count(amount: number): string {
  return amount.toLocaleString("en");
}

/** Formats a number with its noun: `1 decision`, `2 decisions`. */
export function counted(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

export function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (100 * part) / whole;
  return `${share > 0 && share < 0.1 ? share.toFixed(2) : share.toFixed(1)}%`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)} ms`;
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}

export function time(at: number): string {
  return new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
}

/** Formats whole pounds from £10 on, because the model is not exact to the penny. */
export function money(amount: number, currency: string): string {
  const digits = Math.abs(amount) >= 10 ? 0 : 2;
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(amount);
}

/** Formats what a group used, except requests: `1,204,000 tokens, £14`. */
export function uses({ units, money: amount }: Group, currency: string | undefined): string {
  const named = Object.entries(units).filter(([unit, used]) => unit !== "requests" && used > 0);
  const words = named.map(([unit, used]) => `${count(used)} ${unit}`);
  if (amount !== undefined && currency !== undefined) words.push(money(amount, currency));
  return words.join(", ");
}

/** Returns the sentence of a plan: `312 of 90,214 refused (0.35%), 280 of them newly, 41 callers, £14 unspent`. */
export function sentence({ decisions, replayed, newlyRefused, newlyAdmitted, currency }: Summary): string {
  const { refused } = replayed;
  const parts = [
    `${count(refused.decisions)} of ${count(decisions)} refused (${percent(refused.decisions, decisions)})`,
  ];
  if (newlyRefused.decisions !== refused.decisions)
    parts.push(`${count(newlyRefused.decisions)} of them newly`);
  parts.push(`${counted(newlyRefused.callers, "caller")}`);
  if (newlyRefused.money !== undefined && currency !== undefined)
    parts.push(`${money(newlyRefused.money, currency)} unspent`);
  if (newlyAdmitted.decisions > 0) parts.push(`${count(newlyAdmitted.decisions)} newly admitted`);
  return `${parts.join(", ")}.`;
}

/** Formats the waits of refused requests. */
export function waitsInWords({ median, most, hopeless }: Summary["waits"], refused: number): string {
  if (refused === 0) return "Waits: none";
  if (hopeless >= refused) return "Waits: no wait helps for any refusal";
  const never = hopeless > 0 ? `; for ${count(hopeless)}, no wait helps` : "";
  return `Waits: ${duration(median)} at the median, ${duration(most)} at most${never}`;
}
