/** Pensions in payment, lump sums from a pension, and tax that comes back. */
import { incomeTax } from "../../../../tax/income-tax.ts";
import { taxOnTop } from "../../../../tax/other-income.ts";
import {
  class3Of,
  fullStatePension,
  laterContributions,
  lumpSumAllowance,
  pensionIncomeSources,
  statePensionOf,
  taxFreeQuarter,
} from "../../../../tax/pension-income.ts";
import { statutoryPayOf } from "../../../../tax/statutory-pay.ts";
import { pounds } from "../wording.ts";
import {
  after,
  before,
  hasPeriod,
  isMoney,
  money,
  percentOf,
  perMonth,
  perWeek,
  type Role,
  salaryRoles,
  type Topic,
} from "./topic.ts";

const record: Topic = {
  subject: "National Insurance record",
  about:
    "(?:affect|count|counts|towards|qualif\\S*|enough|miss(?:ing)?|lose|gaps?)(?: \\S+){0,5} (?:state pension|ni (?:years?|record)|national insurance (?:years?|record))(?: .*)?|(?:qualifying|missing) (?:ni |national insurance )?years?(?: .*)?",
  roles: salaryRoles,
  calculate(given) {
    const { taxYear } = given;
    const year = given.yearly("salary");
    if (year === undefined) return undefined;
    const weekly = perWeek(year);
    const limit = statutoryPayOf[taxYear].earningsLimit;
    const source =
      "https://www.gov.uk/new-state-pension/your-national-insurance-record-and-your-state-pension";
    if (weekly >= limit * 100)
      return {
        text: `It counts: from ${pounds(limit)} a week in one job (${taxYear}) the year is a qualifying year for the State Pension, even where no National Insurance comes off. ${money(weekly)} is enough if you earn it all year.`,
        source,
      };
    return {
      text: `It can: a qualifying year needs ${pounds(limit)} a week in one job (${taxYear}), and ${money(weekly)} is less. You may get credits instead (with Child Benefit, Universal Credit or as a carer), or pay voluntary Class 3 contributions, ${pounds(class3Of[taxYear])} a week. 35 years give the full State Pension, 10 the least: check your record.`,
      source,
    };
  },
  explain: ({ taxYear }) => ({
    text: `**35 qualifying years** of National Insurance give the full new State Pension, 10 the least. A year counts if you earn ${pounds(statutoryPayOf[taxYear].earningsLimit)} a week or more in one job (${taxYear}), or get credits. You can fill gaps with voluntary Class 3 contributions, ${pounds(class3Of[taxYear])} a week.`,
    source: "https://www.gov.uk/new-state-pension/your-national-insurance-record-and-your-state-pension",
  }),
};

const ownPension = "(?:private|work|workplace|company|other|works|occupational|nhs|teachers?) pension";
const pensionRoles: Role[] = [
  ["state", after("(?:full |new )*state pension"), isMoney],
  ["state", before("(?:full |new )*state pension"), isMoney],
  ["private", after(ownPension), isMoney],
  ["private", before(ownPension), isMoney],
  ...salaryRoles,
  ["salary", "A", hasPeriod],
];

const statePension: Topic = {
  about: "state pension(?! age)(?: .*)?",
  unless: "age|when can|born|how old|forecast|defer(?:ring)?",
  answersTakeHome: true,
  roles: pensionRoles,
  asks: "tax|taxed|ni|national insurance|\\?",
  calculate(given) {
    const { taxYear, nation } = given;
    const pension = given.yearly("private") ?? 0;
    const salary = given.yearly("salary") ?? 0;
    if (pension + salary === 0) return undefined;
    const state = given.yearly("state") ?? fullStatePension(taxYear);
    const total = state + pension + salary;
    const { tax } = incomeTax({ income: total, nation, taxYear });
    const full =
      given.yearly("state") === undefined ? "the full new State Pension of " : "the State Pension of ";
    const others = [
      ...(pension > 0 ? [`the pension of ${money(pension)}`] : []),
      ...(salary > 0 ? [`wages of ${money(salary)}`] : []),
    ];
    return {
      text: `Together ${full}${money(state)} and ${others.join(" and ")} make ${money(total)} (${taxYear}). The income tax is **${money(tax)}** a year, ${money(perMonth(tax))} a month, which leaves ${money(total - tax)}. It is taken from the ${pension > 0 && salary === 0 ? "private pension" : "pay"} by the tax code, because the State Pension is paid without tax. There is no National Insurance on pensions${salary > 0 ? ", nor on wages past State Pension age" : ""}.`,
      source: pensionIncomeSources.tax,
    };
  },
  explain: ({ taxYear }) => ({
    text: `The full new State Pension is **${pounds(statePensionOf[taxYear])} a week**, ${money(fullStatePension(taxYear))} a year (${taxYear}); it needs 35 qualifying years. It is taxable but paid without tax: it uses most of the personal allowance of £12,570, and tax on other income is taken through the code of a job or pension, or HMRC sends a bill (Simple Assessment). There is no National Insurance on pensions.`,
    source: pensionIncomeSources.statePension,
  }),
};

const inPayment: Topic = {
  about: "retired(?: \\S+){0,3} pension|pension in payment|pension income|annuity",
  unless: "state pension|lump sum",
  roles: [
    ["private", before("pension(?: income)?|annuity"), isMoney],
    ["private", after("pension|annuity"), isMoney],
  ],
  calculate(given) {
    const { taxYear, nation } = given;
    const pension = given.yearly("private");
    if (pension === undefined) return undefined;
    const { tax } = incomeTax({ income: pension, nation, taxYear });
    return {
      text: `On a pension in payment of ${money(pension)} alone the income tax is **${money(tax)}** a year (${taxYear}), ${money(perMonth(pension - tax))} a month left; there is no National Insurance. The State Pension uses the same allowance: with the full one, ${money(fullStatePension(taxYear))}, the tax is ${money(incomeTax({ income: pension + fullStatePension(taxYear), nation, taxYear }).tax)}.`,
      source: pensionIncomeSources.tax,
    };
  },
};

const claimForms =
  "If emergency tax took too much, claim it back with form P55 (part of the pot), P53Z (all of it, with other income) or P50Z (all of it, without).";

const taking = "take|taking|took|withdraw|withdrawing|drawing|draw|cash in|cashing in";
/** Automatic enrolment counts the pay between these, in pounds. */
const qualifying = { from: 6_240, to: 50_270 };

/** What goes into a pension, from both sides. */
const contributions: Topic = {
  about:
    "qualifying earnings|(?:how much|what)(?: \\S+){0,5} (?:goes?|going|paid|put) (?:in|into)(?: (?:my|the|a|our))*(?: (?:pension|pot|each|every|month|\\?))+",
  unless: "sacrific\\S*|bonus|should|could|can|most|tax",
  roles: [
    ["own", "P (?:(?:from|by|is) )*(?:employee|me|mine|myself|own|i)"],
    ["own", "(?:employee|me|myself|i)(?: (?:pay|put|puts|pays|in|of|at|is))* P"],
    ["employer", "P (?:(?:from|by) )*(?:(?:the|my) )?(?:employer|company|boss|them|work)"],
    ["employer", "(?:employer|company|boss|work)(?: (?:pay|put|puts|pays|in|of|at|is|adds))* P"],
    ["salary", "A", isMoney],
  ],
  calculate(given) {
    const { taxYear } = given;
    const salary = given.yearly("salary");
    const [own, employer] = [given.count("own"), given.count("employer")];
    if (salary === undefined || (own === undefined && employer === undefined)) return undefined;
    const isBand = given.has("qualifying earnings");
    const { from, to } = qualifying;
    const counted = isBand ? Math.max(0, Math.min(salary, to * 100) - from * 100) : salary;
    const sides = [
      ...(own === undefined ? [] : [{ who: "from you", sum: percentOf(counted, own) }]),
      ...(employer === undefined ? [] : [{ who: "from the employer", sum: percentOf(counted, employer) }]),
    ];
    const total = sides.reduce((all, { sum }) => all + sum, 0);
    const parts = sides.map(({ who, sum }) => `${money(perMonth(sum))} ${who}`).join(" and ");
    const of = isBand
      ? `the pay between ${pounds(from)} and ${pounds(to)}, ${money(counted)} a year`
      : `the whole pay of ${money(salary)}`;
    return {
      text: `**${money(perMonth(total))} a month** goes into the pension, ${money(total)} a year (${taxYear}): ${parts}, of ${of}. With relief at source a part of yours is the basic-rate tax that the provider adds.`,
      source: "https://www.gov.uk/workplace-pensions/what-you-your-employer-and-the-government-pay",
    };
  },
};

const lumpSum: Topic = {
  about: `(?:${taking})(?: \\S+){0,4} (?:out of|from|out)(?: (?:my|a|the))?(?: (?:private|workplace|work))? pension(?: .*)?|pension (?:lump sum|withdrawal|pot)(?: .*)?|lump sum(?: \\S+){0,3} pension|drawdown|tax free lump sum`,
  // How much is enough is not a question of tax.
  unless:
    "state pension|salary sacrifice|bonus|decent|enough|(?:big|large|much)(?: \\S+){0,2} pot|should (?:i|we) have|good pension",
  roles: [
    ["share", "P", ({ value }) => value === 25],
    ["pot", before("pot"), isMoney],
    ["pot", after("(?:pension )?pot"), isMoney],
    ["lump", before(`${taking}|lump sum|withdrawal`), isMoney],
    ["lump", after("out|lump sum|withdrawal|pension"), isMoney],
    ...salaryRoles,
  ],
  calculate(given) {
    const { taxYear, nation } = given;
    const lump = given.yearly("lump");
    const pot = given.yearly("pot");
    if (lump === undefined && pot !== undefined && given.amounts.salary === undefined)
      return {
        text: `A quarter of ${money(pot)}, **${money(taxFreeQuarter(pot))}**, can usually be taken free of tax, up to ${pounds(lumpSumAllowance)} in your life. The rest is taxed as income when you take it (${taxYear}).`,
        source: pensionIncomeSources.lumpSum,
      };
    if (lump === undefined || given.amounts.lump?.period !== undefined) return undefined;
    const free = taxFreeQuarter(lump);
    const rest = lump - free;
    const salary = given.yearly("salary");
    const pay = salary ?? 0;
    const tax = taxOnTop({ pay, amount: rest, nation, taxYear });
    const beside =
      salary !== undefined
        ? `on top of ${money(salary)} the tax is **${money(tax)}**, so you get **${money(lump - tax)}**`
        : `with no other income the tax is **${money(tax)}**`;
    const quarter =
      pot !== undefined && taxFreeQuarter(pot) >= lump
        ? ` Taken only as tax-free cash, a quarter of ${money(pot)}, it costs no tax and does not limit later contributions.`
        : "";
    return {
      text: `Of ${money(lump)} from a pension a quarter, **${money(free)}**, is free of tax; ${money(rest)} is taxed as income: ${beside} (${taxYear}). No National Insurance is due. After that at most ${pounds(laterContributions)} a year can go into such pensions with tax relief.${quarter} ${claimForms}`,
      source: pensionIncomeSources.lumpSum,
    };
  },
  explain: ({ taxYear }) => ({
    text: `Usually **25%** of what you take from a private pension is free of tax, up to ${pounds(lumpSumAllowance)} in your life; the rest is taxed as income on top of the year's pay (${taxYear}). No National Insurance is due. After taking taxed money, at most ${pounds(laterContributions)} a year can go into such pensions with tax relief. ${claimForms}`,
    source: pensionIncomeSources.lumpSum,
  }),
};

const refunds: Topic = {
  subject: "tax refunds",
  about: "p800|p55|p50z|p53z|emergency tax(?: .*)?|tax (?:refund|rebate)|refund",
  asks: "owe|owes|owing|underpaid|underpayment|back|refund|rebate|claim",
  unless: "student loan|what is (?:an )?emergency tax(?: codes?)?(?= ?\\??$)",
  roles: [
    ["owed", before("owe|owing|owed|underpaid"), isMoney],
    ["paid", "A", isMoney],
  ],
  calculate(given) {
    if (given.amounts.paid !== undefined || given.has("owes? (?:me|us)|owed to me"))
      return refunds.explain?.(given);
    const owed = given.yearly("owed");
    if (owed === undefined || hasPeriod(given.amounts.owed as never)) return undefined;
    if (owed >= 300_000) return undefined;
    return {
      text: `Usually not all at once: up to **£3,000** is taken through your tax code in the next tax year, in 12 parts. For ${money(owed)} that is **${money(perMonth(owed))} a month**. You can also pay it online.`,
      source: "https://www.gov.uk/tax-overpayments-and-underpayments",
    };
  },
  explain: () => ({
    text: "Overpaid tax comes back. Once HMRC gives your employer the right tax code (send your P45 or the starter checklist), the next payslip refunds it; after the tax year HMRC sends a **P800** or you claim online. For a payment from a pension use form **P55**, P53Z or P50Z. If you owe up to £3,000, it is taken through next year's tax code in 12 parts. National Insurance is not refunded this way.",
    source: "https://www.gov.uk/claim-tax-refund",
  }),
};

export const pensionTopics: Topic[] = [record, contributions, lumpSum, statePension, inPayment, refunds];
