/** Converts amounts to yearly salaries in pounds, and explains the conversion in a sentence. */
import {
  type PayPeriod,
  periodsPerYear,
  usualDays,
  usualHours,
  type WorkingWeek,
  weeksPerYear,
} from "../../../tax/pay-periods.ts";
import type { Facts } from "./facts.ts";
import type { Amount } from "./tokens.ts";
import { pounds } from "./wording.ts";

/** A bare sum below this may be a month's or a week's pay: the answer asks the person. */
export const leastCertain = 5_000;
/** Less than this is no pay for a year. */
const leastYearly = 500;

export function isUnsure({ value, period, scaled, kind }: Amount, isAlone: boolean): boolean {
  if (value === 0) return false;
  if (period === "year" && value < leastYearly) return true;
  return (
    kind === "number" || (period === undefined && !(scaled && !isAlone) && value > 0 && value < leastCertain)
  );
}

export interface Salary {
  salary: number;
  note: string | undefined;
}

/** @returns pounds a year: pay by the hour or day is converted with the working week in the message, or a usual week */
export function yearly(amount: Amount, facts: Facts): Salary {
  const { value, period = "year" } = amount;
  const factor = periodsPerYear(period, weekOf(period, facts));
  const full = Number((value * factor).toFixed(2));
  const salary = facts.fraction ? Number((full * facts.fraction.share).toFixed(2)) : full;
  const notes = [
    period === "year" ? undefined : conversion(value, period, full, facts),
    facts.fraction && `${pounds(full)} for ${facts.fraction.words} is ${pounds(salary)} a year.`,
  ].filter((note) => note !== undefined);
  return { salary, note: notes.length > 0 ? notes.join(" ") : undefined };
}

const hoursOfDay = usualHours / usualDays;

/** Pay by the hour for some days a week: each day has 7.5 hours, unless the message gives hours. */
function weekOf(period: PayPeriod, { hours, days, weeks }: Facts): WorkingWeek {
  const ofDays = period === "hour" && days !== undefined ? days * hoursOfDay : undefined;
  return { hours: hours ?? ofDays, days, weeks };
}

function conversion(value: number, period: PayPeriod, full: number, facts: Facts): string {
  const weeks = facts.weeks ?? weeksPerYear;
  const isYear = `is ${pounds(full)} a year`;
  if (period === "hour") {
    const { hours = usualHours } = weekOf(period, facts);
    const isAssumed = facts.hours === undefined && !facts.isFullTime;
    const ofDays = facts.days === undefined ? "" : `, ${hoursOfDay} a day`;
    const assumed = isAssumed ? `; I assumed ${hours} hours a week${ofDays}` : "";
    return `${pounds(value)} an hour for ${Number(hours.toFixed(2))} hours a week and ${weeks} weeks ${isYear}${assumed}.`;
  }
  if (period === "day") {
    const days = facts.days ?? usualDays;
    const worked =
      facts.days === 1 && facts.weeks !== undefined
        ? `${weeks} days`
        : `${days} days a week and ${weeks} weeks`;
    const assumed = facts.days === undefined ? `; I assumed ${usualDays} days a week` : "";
    return `${pounds(value)} a day for ${worked} ${isYear}${assumed}.`;
  }
  if (period === "week") return `${pounds(value)} a week for ${weeks} weeks ${isYear}.`;
  return `${pounds(value)} ${period === "four weeks" ? "every four weeks" : `a ${period}`} ${isYear}.`;
}

/** "45k full time, but I do 3 days a week": fewer days or hours than a usual week as a share of it. */
export function partOfFullTime({ days, hours }: Facts): Facts["fraction"] {
  if (days !== undefined && days < usualDays)
    return { share: days / usualDays, words: `${days} of ${usualDays} days` };
  if (hours !== undefined && hours < usualHours)
    return { share: hours / usualHours, words: `${hours} of ${usualHours} hours` };
  return undefined;
}
