/** The State Pension age of a person, from the date or the year of birth. */
import { after, statePensionAgeMonths } from "../../../tax/state-pension-age.ts";
import type { CalendarDate } from "../../../tax/tax-year.ts";
import type { Facts } from "./facts.ts";
import type { Term } from "./glossary.ts";

const name = "State Pension age";
const general =
  "It is 66 for those born before 6 April 1960, rises month by month to 67 for those born until 5 March 1961, and rises to 68 in the same way for those born from 6 April 1977.";
const insurance = "Employees past it pay no National Insurance, but still pay income tax.";

/** Everybody born before this year has reached it, by older rules. */
const firstYear = 1955;

export function statePensionAge({ born, bornOn }: Facts): Term {
  return { name, meaning: `${personal(born, bornOn) ?? general} ${insurance}` };
}

function personal(born: number | undefined, bornOn: CalendarDate | undefined): string | undefined {
  if (bornOn !== undefined && bornOn.year >= firstYear) {
    const months = statePensionAgeMonths(bornOn);
    return `Born on ${inWords(bornOn)}, you reach it at ${ageInWords(months)}, on ${inWords(after(bornOn, months))}.`;
  }
  if (born === undefined || born < firstYear) return undefined;
  const first = statePensionAgeMonths({ year: born, month: 1, day: 1 });
  const last = statePensionAgeMonths({ year: born, month: 12, day: 31 });
  if (first !== last)
    return `Born in ${born}, you reach it between ${ageInWords(first)} and ${ageInWords(last)}, depending on your birthday.`;
  return `Born in ${born}, you reach it at ${ageInWords(first)}, in ${born + first / 12}.`;
}

function ageInWords(months: number): string {
  const years = Math.floor(months / 12);
  const rest = months % 12;
  return rest === 0 ? `${years}` : `${years} years and ${rest} ${rest === 1 ? "month" : "months"}`;
}

const monthNames =
  "January February March April May June July August September October November December".split(" ");

function inWords({ year, month, day }: CalendarDate): string {
  return `${day} ${monthNames[month - 1]} ${year}`;
}
