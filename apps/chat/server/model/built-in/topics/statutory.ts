/** Sick pay, pay for parents, and redundancy. */
import {
  freeOfTax,
  mostYears,
  redundancyPay,
  redundancySources,
  redundancyWeeks,
  taxOnTermination,
  weeklyCapOf,
} from "../../../../tax/redundancy.ts";
import {
  longestSickPayWeeks,
  maternityWeeks,
  parentalPay,
  sickPay,
  statutoryPayOf,
  statutoryPaySources,
} from "../../../../tax/statutory-pay.ts";
import { pounds } from "../wording.ts";
import {
  after,
  before,
  type Given,
  hasPeriod,
  isMoney,
  money,
  perWeek,
  salaryRoles,
  type Topic,
} from "./topic.ts";

/** The employer's own sick or maternity pay, which is another sum. */
const employersOwn = "half pay|full pay|enhanced|occupational|contractual|company (?:sick|maternity).*";

function sickRules({ taxYear }: Given): string {
  const { sick, sickFromFirstDay, earningsLimit } = statutoryPayOf[taxYear];
  return sickFromFirstDay
    ? `It is **${pounds(sick)} a week**, or 80% of your average weekly earnings if that is less (${taxYear}). It is due from the first day of sickness, whatever you earn, for up to ${longestSickPayWeeks} weeks.`
    : `It is **${pounds(sick)} a week** (${taxYear}), from the fourth day of sickness, for up to ${longestSickPayWeeks} weeks, if you earn ${pounds(earningsLimit)} a week or more on average.`;
}

const sick: Topic = {
  about:
    "ssp|statutory sick ?pay|sick(?:ness)? ?pay|(?:off )?sick(?= .*(?:pay|paid|get)(?!\\S))|(?:paid|pay)(?: \\S+){0,6} sick",
  unless: employersOwn,
  asks: "ssp|statutory|sick(?:ness)? ?pay",
  roles: [
    ["weeks", "(?:(?:for|off|sick) )*N (?:weeks?|wks?)(?: (?:off|sick))*"],
    ["salary", "A", hasPeriod],
    ...salaryRoles,
  ],
  calculate(given) {
    const year = given.yearly("salary");
    if (year === undefined) return undefined;
    const weekly = perWeek(year);
    const rate = sickPay(weekly, given.taxYear);
    const { sick: flat, sickFromFirstDay, earningsLimit } = statutoryPayOf[given.taxYear];
    const source = statutoryPaySources.sick;
    if (rate === 0)
      return {
        text: `In ${given.taxYear} Statutory Sick Pay needs average earnings of ${pounds(earningsLimit)} a week; ${money(weekly)} is less.`,
        source,
      };
    const how = sickFromFirstDay
      ? `the lower of ${pounds(flat)} and 80% of ${money(weekly)}`
      : "not for the first three working days";
    const weeks = given.count("weeks");
    if (weeks === undefined || !sickFromFirstDay)
      return {
        text: `Statutory Sick Pay on ${money(weekly)} a week is **${money(rate)} a week** (${given.taxYear}): ${how}, for up to ${longestSickPayWeeks} weeks. It is taxed as pay.`,
        source,
      };
    if (weeks > longestSickPayWeeks) return undefined;
    const usual = Math.round((weeks * year) / 52);
    return {
      text: `For ${weeks} weeks Statutory Sick Pay is **${money(weeks * rate)}** (${given.taxYear}): ${money(rate)} a week, ${how}, from the first day. Your usual pay for these weeks is ${money(usual)}, so you lose **${money(usual - weeks * rate)}** before tax. After tax you lose less, because tax and National Insurance fall with the pay.`,
      source,
    };
  },
  explain: (given) => ({
    text: `Statutory Sick Pay is the least that an employer must pay. ${sickRules(given)} It is taxed as pay.`,
    source: statutoryPaySources.sick,
  }),
};

const isTaxed = "It is taxed as pay, with National Insurance.";

function maternityAnswer(given: Given, name: string) {
  const { taxYear } = given;
  const { parental, earningsLimit } = statutoryPayOf[taxYear];
  const source = statutoryPaySources.maternity;
  const year = given.yearly("salary");
  const { earningsRelated, flat } = maternityWeeks;
  if (year === undefined) return undefined;
  const { first, further } = parentalPay(year / 52, taxYear);
  const weekly = perWeek(year);
  if (first === 0)
    return {
      text: `${name} needs average earnings of **${pounds(earningsLimit)} a week** (${taxYear}); ${money(weekly)} is less. You may get Maternity Allowance instead.`,
      source,
    };
  return {
    text: `${name} on ${money(weekly)} a week is **${money(first)} a week** for ${earningsRelated} weeks (90%), then **${money(further)} a week** for ${flat} weeks (the lower of 90% and ${pounds(parental)}, ${taxYear}): ${money(earningsRelated * first + flat * further)} in all. The last 13 weeks of a year's leave are unpaid. ${isTaxed}`,
    source,
  };
}

const maternity: Topic = {
  about:
    "(?:maternity|mat) (?:pay|leave)|(?:on|for|during) maternity|smp|statutory maternity(?: .*)?|adoption pay|statutory adoption",
  unless: `maternity cover|paternity|self employed|${employersOwn}`,
  roles: [
    ["salary", "A", hasPeriod],
    ...salaryRoles,
    ["salary", before("smp|(?:maternity|mat) pay"), isMoney],
  ],
  calculate: (given) =>
    maternityAnswer(given, given.has("adoption") ? "Statutory Adoption Pay" : "Statutory Maternity Pay"),
  explain(given) {
    const { parental, earningsLimit } = statutoryPayOf[given.taxYear];
    const name = given.has("adoption") ? "Statutory Adoption Pay" : "Statutory Maternity Pay";
    return {
      text: `${name} lasts 39 weeks: **90%** of your average weekly earnings for 6 weeks, then **${pounds(parental)} a week**, or 90% if that is less, for 33 weeks (${given.taxYear}). It needs 26 weeks with the employer and earnings of ${pounds(earningsLimit)} a week. ${isTaxed}`,
      source: statutoryPaySources.maternity,
    };
  },
};

const paternity: Topic = {
  about: "(?:statutory )?paternity(?: (?:pay|leave))?|shared parental(?: (?:pay|leave))?|shpp|spp",
  roles: [["salary", "A", hasPeriod], ...salaryRoles],
  calculate(given) {
    const year = given.yearly("salary");
    if (year === undefined || given.has("shared|shpp")) return undefined;
    const { further } = parentalPay(year / 52, given.taxYear);
    if (further === 0) return undefined;
    return {
      text: `Statutory Paternity Pay is **${money(further)} a week** (${given.taxYear}), for one or two weeks: ${money(2 * further)} for two. It is ${pounds(statutoryPayOf[given.taxYear].parental)}, or 90% of your average weekly earnings if that is less. ${isTaxed}`,
      source: statutoryPaySources.paternity,
    };
  },
  explain(given) {
    const { parental } = statutoryPayOf[given.taxYear];
    const isShared = given.has("shared|shpp");
    return {
      text: `Statutory ${isShared ? "Shared Parental" : "Paternity"} Pay is **${pounds(parental)} a week**, or 90% of your average weekly earnings if that is less (${given.taxYear}), for ${isShared ? "up to 37 weeks between the two parents" : "one or two weeks"}. ${isTaxed}`,
      source: isShared ? "https://www.gov.uk/shared-parental-leave-and-pay" : statutoryPaySources.paternity,
    };
  },
};

const payment = "settlement|redundancy|payout|pay ?off|package|severance|termination payment";

function terminationAnswer(given: Given, paid: number) {
  const { nation, taxYear } = given;
  const salary = given.yearly("salary");
  const free = pounds(freeOfTax);
  const source = redundancySources.tax;
  const notice = "Notice pay, holiday pay and wages are taxed as pay.";
  const { taxable, tax } = taxOnTermination(paid, salary ?? 0, nation, taxYear);
  if (taxable === 0)
    return {
      text: `${money(paid)} for the loss of your job is **free of tax**: tax begins above ${free}. ${notice}`,
      source,
    };
  const start = `The first ${free} of ${money(paid)} redundancy pay is free of tax; **${money(taxable)}** is taxed as income on top of the year's pay, without employee's National Insurance (${taxYear}).`;
  if (salary === undefined) return { text: `${start} ${notice}`, source };
  return {
    text: `${start} Next to ${money(salary)} of pay that is **${money(tax)}** of income tax, so you keep **${money(paid - tax)}**. ${notice}`,
    source,
  };
}

const redundancy: Topic = {
  subject: "redundancy pay",
  about: "redundan(?:cy|t)|severance|settlement agreement|(?:termination|settlement) payment",
  roles: [
    [
      "years",
      "N (?:full |complete |whole )?(?:years?|yrs?)(?: (?:of|service|employment|employed|there|worked|in))*",
    ],
    ["months", "N (?:months?|mths?)(?: (?:of|service|employment|there))*"],
    ["salary", "A", hasPeriod],
    ["payment", after(payment), isMoney],
    ["payment", before(`(?:${payment})(?: (?:pay|payment|package|agreement|payout))?`), isMoney],
    ...salaryRoles,
  ],
  calculate(given) {
    const { age, taxYear } = given;
    const years = given.count("years");
    const months = given.count("months");
    const paid = given.yearly("payment");
    if (paid !== undefined && years === undefined && months === undefined)
      return terminationAnswer(given, paid);
    const served = years ?? (months === undefined ? undefined : months / 12);
    const source = redundancySources.pay;
    if (served !== undefined && served < 2)
      return {
        text: "Statutory redundancy pay needs **two full years** with the employer. A contract can give more.",
        source,
      };
    const salary = given.yearly("salary");
    if (age === undefined || served === undefined || salary === undefined || paid !== undefined)
      return undefined;
    // Its cap is another one.
    if (given.nation === "Northern Ireland") return undefined;
    const cap = weeklyCapOf[taxYear];
    const weekly = perWeek(salary);
    const isCapped = weekly > cap * 100;
    return {
      text: `Statutory redundancy pay at ${age} with ${served} years is **${money(redundancyPay(age, served, salary / 52, taxYear))}**: ${redundancyWeeks(age, served)} weeks at ${isCapped ? `${pounds(cap)}, the most a week's pay counts (${taxYear})` : `${money(weekly)} (the cap is ${pounds(cap)} in ${taxYear})`}. Each full year gives half a week's pay under 22, one from 22 to 40, one and a half from 41, for at most ${mostYears} years. It is free of tax. Northern Ireland has its own cap.`,
      source,
    };
  },
  explain({ taxYear }) {
    const cap = weeklyCapOf[taxYear];
    return {
      text: `Statutory redundancy pay needs two full years with the employer. Each full year gives half a week's pay under 22, one from 22 to 40, one and a half from 41, for at most ${mostYears} years; a week's pay counts up to **${pounds(cap)}**, so the most is ${pounds(cap * 30)} (${taxYear}; Northern Ireland has its own cap). Up to **${pounds(freeOfTax)}** of redundancy pay is free of tax; notice pay, holiday pay and wages are taxed as pay. Give your age, years and weekly pay for the sum.`,
      source: redundancySources.pay,
    };
  },
};

const notice: Topic = {
  subject: "payments in lieu of notice",
  about: "pilon|(?:pay(?:ment)? )?in lieu(?: of notice)?|notice pay|paid in lieu",
  explain: () => ({
    text: `A payment in lieu of notice is **taxed as pay**, with National Insurance. The ${pounds(freeOfTax)} free of tax covers only payments for the loss of the job itself, such as redundancy pay.`,
    source: redundancySources.tax,
  }),
};

export const statutoryTopics: Topic[] = [notice, redundancy, paternity, maternity, sick];
