/** The Marriage Allowance and Child Benefit. */
import {
  charge,
  chargePercent,
  childBenefit,
  childBenefitCharge,
  childBenefitOf,
  childBenefitSources,
} from "../../../../tax/child-benefit.ts";
import {
  marriageAllowance,
  marriageAllowanceSource,
  reduction,
  transferred,
} from "../../../../tax/marriage-allowance.ts";
import { higherRateFrom, ratesOf } from "../../../../tax/rates.ts";
import { yearlyOf } from "../rules/rule.ts";
import { pounds } from "../wording.ts";
import {
  after,
  before,
  type Given,
  isMoney,
  money,
  percentOf,
  perMonth,
  salaryRoles,
  type Topic,
} from "./topic.ts";

const couples =
  "The Married Couple's Allowance is only for couples of whom one was born before 6 April 1935: it takes 10% of an allowance off the tax, and you can't have both. ";

const marriage: Topic = {
  subject: "Marriage Allowance",
  about:
    "marriage (?:tax )?allowance|married couples? (?:tax )?allowance|marriage tax(?: break| relief)?|married(?: \\S+){0,8} (?:tax (?:off|break|back|relief)|less tax)",
  answersCouples: true,
  roles: [
    ["one", "A", isMoney],
    ["other", "A", isMoney],
  ],
  calculate(given) {
    const one = given.yearly("one");
    const earnsNothing = "(?:do|does) not (?:work|earn)|not working|earns? nothing|no income|unemployed";
    const other = given.yearly("other") ?? (given.has(earnsNothing) ? 0 : undefined);
    if (one === undefined || other === undefined) return undefined;
    const { nation, taxYear } = given;
    const [giver, receiver] = one < other ? [one, other] : [other, one];
    const result = marriageAllowance(giver, receiver, nation, taxYear);
    const limit = pounds(higherRateFrom(taxYear, nation));
    const source = marriageAllowanceSource;
    if (result.kind === "gain")
      return {
        text: `Yes: the one ${giver === 0 ? "without income" : `on ${money(giver)}`} can transfer ${pounds(transferred)} of the allowance to the one on ${money(receiver)}. That saves **${money(result.gain)}** a year, ${money(perMonth(result.gain))} a month (${taxYear}). You must be married or civil partners; you can backdate it by four years.`,
        source,
      };
    const why = {
      "receiver pays a higher rate": `the one on ${money(receiver)} pays more than the basic rate. The limit is ${limit}${nation === "Scotland" ? " in Scotland" : ""} (${taxYear})`,
      "giver needs it": `the one on ${money(giver)} needs the allowance`,
      "receiver pays no tax": "neither pays income tax",
    }[result.why];
    return { text: `No: ${why}. The Marriage Allowance then brings nothing.`, source };
  },
  explain: ({ taxYear, nation, has }) => ({
    text: `${has("couples?") ? couples : ""}The Marriage Allowance moves ${pounds(transferred)} of one's personal allowance to a husband, wife or civil partner and saves up to **${pounds(reduction)}** a year (${taxYear}). One must earn under ${pounds(ratesOf[taxYear].personalAllowance)}, the other must pay only the basic rate, so earn up to ${pounds(higherRateFrom(taxYear, nation))}${nation === "Scotland" ? "" : ` (${pounds(higherRateFrom(taxYear, "Scotland"))} in Scotland)`}. The one with less claims it, and it can be backdated by four years.`,
    source: marriageAllowanceSource,
  }),
};

/** A SIPP gets basic-rate relief on top of what is paid in. */
function adjustedIncome(given: Given): number | undefined {
  const salary = given.yearly("salary");
  const others = given.yearly("partner");
  if (salary === undefined) return others;
  const share = given.count("share") ?? 0;
  const paidIn = Math.round((given.yearly("sipp") ?? 0) * 1.25) + percentOf(salary, share);
  return Math.max(salary + (given.yearly("bonus") ?? 0) - paidIn, others ?? 0);
}

const childrenOf = (given: Given) =>
  given.count("children") ?? (given.has("one (?:child|kid)|only child") ? 1 : undefined);

const benefit: Topic = {
  subject: "Child Benefit",
  about: "(?:high income )?child benefit(?: .*)?|hicbc",
  asks: "(?<=^)(?:high income )?child benefit(?: .*)?|charge|back|repay|owe|worth|claim|claiming|entitled|eligible|lose|hicbc|how much(?: \\S+){0,2} child benefit|child benefit(?: rates?)? for|can (?:i|we) get|(?:do|will) (?:i|we) (?:still )?get",
  answersCouples: true,
  roles: [
    ["children", "N (?:kids?|children|child|boys|girls|little ones)"],
    ["share", "P(?: (?:in|into|to))* pension"],
    ["bonus", after("bonus"), isMoney],
    ["bonus", before("bonus"), isMoney],
    [
      "partner",
      before("(?:wife|husband|hubby|partner|spouse|she|he)(?: (?:earns?|makes|is|on|gets))*"),
      isMoney,
    ],
    ["sipp", "A(?: (?:in|into|to))* (?:sipp|personal pension)", isMoney],
    ...salaryRoles,
    ["salary", "A", (amount) => isMoney(amount) && yearlyOf(amount) >= 10_000],
  ],
  calculate(given) {
    const { taxYear } = given;
    const children = childrenOf(given);
    const income = adjustedIncome(given);
    if (children !== undefined && children > 15) return undefined;
    const weekly = children === undefined ? undefined : childBenefit(children, taxYear);
    const year = weekly === undefined ? undefined : weekly * 52;
    const kids = children === 1 ? "1 child" : `${children} children`;
    if (income === undefined) {
      if (weekly === undefined || year === undefined) return undefined;
      return {
        text: `Child Benefit for ${kids} is **${money(weekly)} a week**, ${money(year)} a year (${taxYear}). From an income of ${pounds(charge.from)} of the higher earner, part of it is charged back; from ${pounds(charge.wholeAt)}, all of it.`,
        source: childBenefitSources.rates,
      };
    }
    const source = childBenefitSources.charge;
    const share = chargePercent(income);
    const said =
      given.yearly("sipp") === undefined && given.amounts.share === undefined
        ? `${given.amounts.partner === undefined ? "an income" : "a higher income"} of ${money(income)}`
        : `an income of ${money(income)}, after the pension contribution,`;
    if (share === 0)
      return {
        text: `No charge: ${said} is not over ${pounds(charge.from)} (${taxYear}). ${year === undefined ? "" : `Child Benefit for ${kids} is ${money(year)} a year.`} The higher income of a couple counts.`.replace(
          "  ",
          " ",
        ),
        source,
      };
    const due =
      year === undefined
        ? `**${share}%** of the Child Benefit`
        : `**${money(childBenefitCharge(year, income))}** a year, ${share}% of ${money(year)} for ${kids}`;
    const advice =
      share === 100
        ? "Claim all the same and opt out of the payment: the claim gives National Insurance credits."
        : "It is 1% for each £200 above £60,000; pension contributions lower the income that counts.";
    return {
      text: `With ${said} the High Income Child Benefit Charge is ${due} (${taxYear}). ${advice}`,
      source,
    };
  },
  explain({ taxYear }) {
    const { eldest, other } = childBenefitOf[taxYear];
    return {
      text: `Child Benefit is **${pounds(eldest)} a week** for the eldest or only child and **${pounds(other)}** for each other child (${taxYear}). If the higher earner's adjusted net income is over ${pounds(charge.from)}, 1% is charged back for each ${pounds(charge.step)} above; at ${pounds(charge.wholeAt)} all of it. Pension contributions lower that income.`,
      source: childBenefitSources.charge,
    };
  },
};

export const familyTopics: Topic[] = [marriage, benefit];
