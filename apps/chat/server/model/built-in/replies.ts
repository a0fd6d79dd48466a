/** What the built-in responder says when there is no sum to do: what it is, what it can do, what it needs to know. */
import { latestTaxYear, taxYearsKnownFor } from "../tax-years.ts";
import type { Remark } from "./understanding.ts";
import { list, pounds } from "./wording.ts";

const examples = `Try one of these:

- Take-home on £45k in Scotland with plan 2
- Compare £50,000 and £60,000
- What is the personal allowance on £110k?
- Marginal rate at £120,000
- Chart take-home from £20k to £120k`;

const abilities =
  "I work out UK pay: **take-home**, **income tax**, **National Insurance**, **personal allowance**, **student loan** repayments and the **marginal rate**, for England, Wales and Northern Ireland or for Scotland. I can compare salaries, countries and years, and chart a range.";

const whatIAm =
  "I'm Headgate's built-in responder: a rule-based calculator, not an AI model. I recognise questions about UK pay and do the arithmetic; every figure comes from the calculation, none is guessed.";

function knownYears(country: "England/NI/Wales" | "Scotland"): string {
  return list(taxYearsKnownFor(country), "and");
}

const yearsKnown = `I know ${knownYears("England/NI/Wales")} (for Scotland, ${knownYears("Scotland")}); without a year I use ${latestTaxYear}.`;

const smallTalk = {
  greeting: `Hello! ${abilities}\n\n${examples}`,
  thanks: "You're welcome. Ask for another salary, year or country whenever you like.",
  goodbye: "Goodbye!",
  wellbeing: `All sums add up, thank you. ${abilities}\n\n${examples}`,
  who: `${whatIAm}\n\n${examples}`,
  capabilities: `${whatIAm}\n\n${abilities} ${yearsKnown}\n\n${examples}`,
  accuracy: `The rates and thresholds come from the open-source calculator \`@saving-tool/hmrc-income-tax\`, and I add no figures of my own. Results are for one employee's salary under PAYE over a whole year, so a payslip can differ by small roundings; Scottish tax comes out up to 26p a year low, because the calculator's bands begin a pound late. ${yearsKnown} For anything that matters, check with HMRC.`,
} as const;

function unknownYear(taxYear: string, country: "England/NI/Wales" | "Scotland"): string {
  const where = country === "Scotland" ? "For Scotland" : "For England, Wales and Northern Ireland";
  const known = taxYearsKnownFor(country);
  return `I don't have the rates for **${taxYear}**, and I won't guess them. ${where} I know ${list(known, "and")}.\n\nSay “in ${latestTaxYear}” for the latest of them.`;
}

/** The whole answer to an understanding that needs no sum. */
export function replyTo(understanding: Remark): string {
  switch (understanding.kind) {
    case "small-talk":
      return smallTalk[understanding.talk];
    case "outside":
      return `I can't work out ${understanding.subject}: I only cover an employee's salary under PAYE in the UK. ${abilities}\n\nLeave that part out and I can do the rest.`;
    case "unknown-year":
      return unknownYear(understanding.taxYear, understanding.country);
    case "unknown-plan":
      return `There is no student loan Plan ${understanding.plan} that I know. I know **Plan 1**, **2**, **4** and **5**, and the **postgraduate loan** (also called Plan 3).`;
    case "which-plan":
      return "Which student loan plan is it: **Plan 1**, **2**, **4**, **5** or **postgraduate**? If you have several, name them all.";
    case "which-salary":
      return "On what salary? Give it by the year, month or week, for example “£45,000” or “£2,500 a month”.";
    case "which-period":
      return `Is that ${pounds(understanding.value)} a week, a month or a year? If you mean ${pounds(understanding.value)} thousand a year, say “${understanding.value}k”.`;
    case "which-hours":
      return understanding.period === "hour"
        ? `${pounds(understanding.value)} an hour: for how many hours a week? For example “40 hours a week”.`
        : `${pounds(understanding.value)} a day: for how many days a week? For example “5 days a week”.`;
    case "which-second-salary":
      return `What shall I compare ${pounds(understanding.salary)} with? Another salary, a country or a tax year will do.`;
    case "which-range":
      return "A chart needs a range: from which salary to which? For example “chart £30k to £60k”.";
    case "not-pounds":
      return "I only work in pounds sterling: I have no exchange rates. Give the salary in £ and I'll do the sum.";
    case "negative":
      return "A salary can't be below £0. Which salary did you mean?";
    case "too-large":
      return "That is more than I reckon with: salaries go up to £10,000,000 a year. Which salary did you mean?";
    case "too-many":
      return `That makes ${understanding.count} cases; I compare up to 8 at a time. Leave some out, or ask for a chart of a range.`;
    case "too-many-rows":
      return `Steps of ${pounds(understanding.step)} make ${understanding.rows.toLocaleString("en-GB")} rows; a chart holds up to 60. Ask again with a larger step.`;
    case "same-rates":
      return "England, Wales and Northern Ireland come out the same here: the calculator has one set of rates for all three. Scotland has its own. Ask me to compare England and Scotland on a salary to see the difference.";
    case "not-understood":
      return `I didn't understand that. ${whatIAm} ${abilities}\n\n${examples}`;
  }
}
