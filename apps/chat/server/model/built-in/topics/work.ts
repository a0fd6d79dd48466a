/** Self-employment, umbrella companies, the employer's total cost, and expenses. */
import { incomeTax } from "../../../../tax/income-tax.ts";
import { approvedMileage, firstMiles, mileageOf, mileageSource } from "../../../../tax/mileage.ts";
import { taxOnTop } from "../../../../tax/other-income.ts";
import { toPounds } from "../../../../tax/pence.ts";
import { ratesOf } from "../../../../tax/rates.ts";
import {
  class2Of,
  class4,
  class4Insurance,
  constructionRates,
  selfEmploymentSources,
  tradingAllowance,
} from "../../../../tax/self-employment.ts";
import { apprenticeshipLevy, grossFromCost, umbrellaSource } from "../../../../tax/umbrella.ts";
import { workOut } from "../../../../tax/work-out.ts";
import { pounds } from "../wording.ts";
import {
  after,
  asksTax,
  before,
  type Given,
  hasPeriod,
  isMoney,
  money,
  percentOf,
  perWeek,
  rate,
  salaryRoles,
  type Topic,
} from "./topic.ts";

const class4Words = `6% of profit from ${pounds(class4.from)} to ${pounds(class4.upperFrom)}, 2% above`;
const selfAssessment =
  "Register for Self Assessment by 5 October after the tax year, and pay by 31 January after that.";

/** The costs have the period of the income, if they have none. */
function profitOf(given: Given, income: string, weeks = 52): number | undefined {
  const sales = given.yearly(income);
  if (sales === undefined) return undefined;
  const [paid, cost] = [given.amounts[income], given.amounts.costs];
  if (cost === undefined) return Math.round((sales * weeks) / 52);
  const isSmall = cost.period === undefined && paid?.period !== undefined && cost.value < paid.value;
  const costs = isSmall ? (sales * cost.value) / paid.value : (given.yearly("costs") ?? 0);
  return Math.round((sales * weeks) / 52 - costs);
}

const trades =
  "etsy|ebay|vinted|uber(?: eats)?|deliveroo|just ?eat|amazon|fiverr|youtube|tutoring|freelancing|freelance|side|weekends?";

function selfEmployedAlone(given: Given, profit: number) {
  const { nation, taxYear } = given;
  const { tax } = incomeTax({ income: profit, nation, taxYear });
  const insurance = class4Insurance(profit);
  const total = tax + insurance;
  const weekly = given.has("week|weekly") ? ` Put aside **${money(perWeek(total))} a week** for it.` : "";
  return {
    text: `On a profit of ${money(profit)} a self-employed person pays **${money(total)}** (${taxYear}): income tax ${money(tax)} and Class 4 National Insurance ${money(insurance)} (${class4Words}). That leaves ${money(profit - total)}.${weekly} It is due by 31 January ${Number(taxYear.slice(0, 4)) + 2}; payments on account can come on top.`,
    source: selfEmploymentSources.insurance,
  };
}

function besideJob(given: Given, pay: number, profit: number) {
  const { nation, taxYear } = given;
  const source = selfEmploymentSources.tradingAllowance;
  if (profit <= tradingAllowance * 100) {
    const own = given.has("old|own|used|second hand|clothes|stuff")
      ? " Selling your own used things is usually not trading at all."
      : "";
    return {
      text: `No: ${money(profit)} a year is within the trading allowance of **${pounds(tradingAllowance)}** of sales, so no tax and no return are due (${taxYear}).${own}`,
      source,
    };
  }
  const tax = taxOnTop({ pay, amount: profit, nation, taxYear });
  const insurance = class4Insurance(profit);
  return {
    text: `${money(profit)} of profit next to ${money(pay)} of pay adds **${money(tax)}** of income tax (${taxYear}). Class 4 National Insurance on it is ${insurance === 0 ? "" : "at most "}${money(insurance)}: it starts at ${pounds(class4.from)} of profit. You can deduct your expenses, or the trading allowance of ${pounds(tradingAllowance)} instead. ${selfAssessment}`,
    source,
  };
}

const construction: Topic = {
  subject: "Construction Industry Scheme deductions",
  about: "cis",
  roles: [
    ["weeks", "(?:worked |for )?N (?:weeks?|wks?)"],
    ["percent", "P", ({ value }) => value === 20 || value === 30],
    ["costs", after("expenses|costs|tools"), isMoney],
    ["costs", before("expenses|costs|tools|spent"), isMoney],
    ["income", "A", hasPeriod],
    ["income", before("cis|earn|earning|invoiced?|on|of|turnover"), isMoney],
  ],
  calculate(given) {
    const { nation, taxYear, amounts } = given;
    const income = amounts.income;
    if (income === undefined) return undefined;
    const source = selfEmploymentSources.construction;
    const share = amounts.percent?.value ?? constructionRates.registered;
    const paid = Math.round(income.value * 100);
    const weeks = given.count("weeks");
    if (amounts.costs === undefined && weeks === undefined)
      return {
        text: `Under CIS the contractor takes **${money(percentOf(paid, share))}** of ${money(paid)} for labour (${share}%)${amounts.percent ? "" : `, or ${money(percentOf(paid, constructionRates.unregistered))} (30%) if you are not registered`}. Materials are left out. It counts towards your tax of the year (${taxYear}), and what is too much comes back with the tax return.`,
        source,
      };
    const profit = profitOf(given, "income", weeks);
    const sales = Math.round(((given.yearly("income") ?? 0) * (weeks ?? 52)) / 52);
    if (profit === undefined || profit < 0) return undefined;
    const taken = percentOf(sales, share);
    const due = incomeTax({ income: profit, nation, taxYear }).tax + class4Insurance(profit);
    const back = taken - due;
    return {
      text: `CIS took ${money(taken)} (${share}% of ${money(sales)}). On the profit of ${money(profit)} you owe ${money(due)}, income tax and Class 4 National Insurance (${taxYear}), so ${back >= 0 ? `about **${money(back)}** comes back` : `**${money(-back)}** is still to pay`} with the tax return, if all the expenses are allowed and it was your only income.`,
      source,
    };
  },
  explain: ({ taxYear }) => ({
    text: `Under the Construction Industry Scheme a contractor takes **${constructionRates.registered}%** of the labour part of a registered subcontractor's invoice, **${constructionRates.unregistered}%** if not registered, and nothing with gross payment status (${taxYear}). It counts towards your income tax and Class 4 National Insurance; the rest comes back with the tax return.`,
    source: selfEmploymentSources.construction,
  }),
};

const selfEmployed: Topic = {
  subject: "tax for the self-employed",
  about:
    "self employ(?:ed|ment)|sole trader|freelanc(?:e|er|ing)|etsy|ebay|vinted|uber(?: eats)?|deliveroo|side (?:hustle|job|income|business)|on (?:the|a) side|class [24] (?:ni|national insurance|contributions?)(?: .*)?|trading (?:allowance|income)|(?:taxi|cab|minicab|black cab)(?: driver)?(?= .*(?:takings|fares|plate|self|expenses))|takings",
  unless: "contractor|limited|ltd|umbrella|ir35|cis|maternity|paternity|sick|pension|mortgage",
  roles: [
    ["class", "class N"],
    [
      "costs",
      before("costs?|expenses|outgoings|fuel|insurance|plate|radio|diesel|tools|materials|overheads"),
      isMoney,
    ],
    ["costs", after("expenses|costs|outgoings|fuel|overheads"), isMoney],
    [
      "job",
      before("(?:(?:paye|normal|main|full time|day|other|employed|proper|regular) )+job|salary|employed on"),
      isMoney,
    ],
    ["job", after("salary|(?:paye |day |full time |main )?job|wages?|paye"), isMoney],
    [
      "profit",
      `A (?:(?:profits?|self employed|sole trader)|(?:(?:from|on|via|through|with|doing|selling|at) )+(?:${trades}))`,
      isMoney,
    ],
    ["profit", before("profits?|cleared|clear|side (?:hustle|income|job|business)"), isMoney],
    ["sales", "A(?: (?:year|selling|turnover))+", isMoney],
    [
      "sales",
      before(
        "(?:uber|deliveroo)(?: (?:driver|rider))?|self employed|sole trader|freelanc(?:e|er|ing)|turnover|invoiced?|takings|made|making|make|makes|earning",
      ),
      isMoney,
    ],
    ["earned", before("earn|earns|on|get|income"), isMoney],
    ["earned", "A", hasPeriod],
  ],
  calculate(given) {
    const { amounts } = given;
    const own = ["profit", "sales"].find((role) => amounts[role] !== undefined);
    const role = own ?? "earned";
    const profit = profitOf(given, role);
    const pay = given.yearly("job") ?? (own === undefined ? undefined : given.yearly("earned"));
    if (profit === undefined || profit < 0) return undefined;
    if (amounts.profit && amounts.sales) return undefined;
    if (pay === undefined) return selfEmployedAlone(given, profit);
    return given.has(asksTax) ? besideJob(given, pay, profit) : undefined;
  },
  explain(given) {
    const { taxYear } = given;
    const { weekly, smallProfits } = class2Of[taxYear];
    const allowance = `Up to **${pounds(tradingAllowance)}** of sales a year is free of tax and needs no return: the trading allowance.`;
    if (given.has("side|allowance|etsy|ebay|vinted"))
      return {
        text: `${allowance} Above it, the profit is added to your pay and taxed at your rate, 20% or 40% for most; Class 4 National Insurance (6%) starts at ${pounds(class4.from)} of profit. ${selfAssessment} (${taxYear})`,
        source: selfEmploymentSources.tradingAllowance,
      };
    return {
      text: `The self-employed pay income tax on their profit, by the same bands as employees, and Class 4 National Insurance: **${class4Words}** (${taxYear}). Class 2 is voluntary, ${pounds(weekly)} a week, to fill a record when the profit is below ${pounds(smallProfits)}. ${allowance}`,
      source: selfEmploymentSources.insurance,
    };
  },
};

/** Pounds a week, an assumption: margins differ. */
const usualMargin = 25;
const howUmbrellasPay = (taxYear: Given["taxYear"]) =>
  `The agency pays the umbrella company an assignment rate, which must also cover the employer's National Insurance (15% above £5,000 a year), the Apprenticeship Levy (0.5%), holiday pay and the umbrella's margin (${taxYear}). What is left is your gross pay, and your own tax comes off that. These costs may not come out of a gross rate that was agreed with you.`;

function umbrellaYear({ nation, taxYear }: Given, fees: number) {
  const margin = usualMargin * 52;
  if (fees < 10 * margin) return undefined;
  const split = grossFromCost(Math.round((fees - margin) * 100), taxYear, { levy: apprenticeshipLevy });
  const { takeHome } = workOut({ salary: toPounds(split.gross), taxYear, nation, studentLoanPlans: [] });
  return {
    text: `An estimate for ${pounds(fees)} a year through an umbrella company, inside IR35 (${taxYear}): less a margin of ${pounds(usualMargin)} a week, employer's National Insurance ${money(split.nationalInsurance)} and the Apprenticeship Levy ${money(split.levy)}, your gross pay is **${money(split.gross)} a year**. After income tax and National Insurance you take home about **${pounds(takeHome)} a year**. I assumed that holiday pay is included, without a pension or student loan.`,
    source: umbrellaSource,
  };
}

const umbrella: Topic = {
  subject: "contractors' pay",
  about: "umbrellas?(?: (?:company|companies|pay|contract))?|ir35",
  unless: "outside",
  answersTakeHome: true,
  roles: [
    ["days", "N days?(?: (?:(?:per|each|/) )?week)?"],
    ["rate", "A", ({ period }) => period === "day" || period === "week" || period === "hour"],
    ["hours", "N hours?(?: (?:(?:per|each|/) )?week)?"],
  ],
  calculate(given) {
    const { taxYear, nation, amounts } = given;
    const paid = amounts.rate;
    if (paid === undefined) return undefined;
    const times = { hour: given.count("hours") ?? 37.5, day: given.count("days") ?? 5, week: 1 };
    const weekly = Math.round(paid.value * 100 * times[paid.period as keyof typeof times]);
    const margin = usualMargin * 100;
    // More days than a week has are the days of a year.
    if ((given.count("days") ?? 0) > 7) return umbrellaYear(given, paid.value * (given.count("days") ?? 0));
    if (weekly < 10 * margin) return undefined;
    const split = grossFromCost((weekly - margin) * 52, taxYear, { levy: apprenticeshipLevy });
    const { takeHome } = workOut({ salary: toPounds(split.gross), taxYear, nation, studentLoanPlans: [] });
    return {
      text: `An estimate for ${money(weekly)} a week through an umbrella company, inside IR35 (${taxYear}): less a margin of ${pounds(usualMargin)}, employer's National Insurance ${money(perWeek(split.nationalInsurance))} and the Apprenticeship Levy ${money(perWeek(split.levy))}, your gross pay is **${money(perWeek(split.gross))} a week**. After income tax and National Insurance you take home about **${pounds(Math.round((takeHome / 52) * 100) / 100)} a week**. I assumed 52 paid weeks${paid.period === "day" && amounts.days === undefined ? " of 5 days" : ""}, holiday pay included, without a pension or student loan.`,
      source: umbrellaSource,
    };
  },
  explain: ({ taxYear, has }) => ({
    text:
      has("ir35") && !has("umbrellas?(?: .*)?")
        ? `IR35, or off-payroll working, decides whether a contractor with a company of their own is taxed like an employee. Inside IR35 the fee is paid through PAYE, with income tax and National Insurance as for an employee; outside it your company is paid in full and you take salary and dividends. ${howUmbrellasPay(taxYear)}`
        : howUmbrellasPay(taxYear),
    source: umbrellaSource,
  }),
};

/** The least share that an employer pays into a pension under automatic enrolment, in hundredths of a per cent. */
const leastPension = 300;

const employersCostSource = "https://www.gov.uk/guidance/rates-and-thresholds-for-employers-2026-to-2027";

const employersCost: Topic = {
  subject: "the salary for an employer's cost",
  about:
    "ctc|(?:total )?cost to (?:the )?company|(?:employer|boss|company|work)(?: \\S+){0,2} (?:pays?|spends?|costs?)(?: \\S+)? #(?: \\S+)? (?:in total|all in|altogether|including (?:their |the |employers? )*(?:ni|national insurance))(?: .*)?|total (?:employment|employer) cost(?: .*)?",
  unless: "hir(?:e|es|ing)|employing|(?:someone|somebody|employee|worker) (?:on|at)",
  answersTakeHome: true,
  roles: [["cost", "A", isMoney]],
  calculate(given) {
    const { taxYear, nation } = given;
    const cost = given.yearly("cost");
    if (cost === undefined) return undefined;
    const withPension = given.has("pension");
    const split = grossFromCost(cost, taxYear, withPension ? { pension: leastPension } : {});
    const { takeHome } = workOut({ salary: toPounds(split.gross), taxYear, nation, studentLoanPlans: [] });
    return {
      text: `If ${money(cost)} is all that the employer pays, the salary is **${money(split.gross)}** (${taxYear}): employer's National Insurance takes ${money(split.nationalInsurance)}${withPension ? `, a pension of 3% ${money(split.pension)}` : ""}. You take home **${pounds(takeHome)}** a year of it${withPension ? ", before your own pension contribution" : ", with no pension counted"}. A UK salary is usually quoted without the employer's costs.`,
      source: employersCostSource,
    };
  },
  explain: ({ taxYear }) => ({
    text: `On top of pay above ${pounds(ratesOf[taxYear].employer.from)} a year an employer pays ${rate(ratesOf[taxYear].employer.rate)} of National Insurance, and often a pension contribution (${taxYear}). Give all that the employer pays for the salary, such as “£50,000 cost to company”.`,
    source: employersCostSource,
  }),
};

const mileage: Topic = {
  about:
    "mileage(?: .*)?|(?:work|business) miles|(?:p|pence) (?:(?:per|a|each|/) )?mile|# miles(?: .*)? (?:claim|tax)",
  unless: "nhs|band|company car|company van|electric|bike|bicycle|motorbike|motorcycle|cycle|scooter",
  roles: [
    ["paid", "N (?:p|pence) (?:(?:per|each|/) )?mile"],
    ["miles", "A (?:(?:work|business) )?miles?(?: year)?"],
  ],
  calculate(given) {
    const { taxYear } = given;
    const miles = given.count("miles");
    if (miles === undefined) return undefined;
    const isUnpaid = given.has("no mileage(?: .*)?|not paid|do not pay|nothing|unpaid");
    const paid = given.count("paid") ?? (isUnpaid ? 0 : undefined);
    const approved = approvedMileage(miles, taxYear);
    const { first, further } = mileageOf[taxYear];
    const rates = `${first}p a mile for the first ${firstMiles.toLocaleString("en-GB")} miles, then ${further}p (${taxYear})`;
    if (paid === undefined)
      return {
        text: `For ${miles.toLocaleString("en-GB")} business miles in your own car or van the approved amount is **${money(approved)}**: ${rates}. If your employer pays less, you get tax relief on the difference.`,
        source: mileageSource,
      };
    const short = approved - Math.round(paid * miles);
    if (short <= 0)
      return {
        text: `No: your employer pays the approved amount of ${money(approved)} or more (${rates}). What is above it is taxed.`,
        source: mileageSource,
      };
    return {
      text: `Yes: the approved amount is ${money(approved)} (${rates}), your employer pays ${money(Math.round(paid * miles))}, so you get relief on **${money(short)}**: **${money(percentOf(short, 20))}** back at 20%, or ${money(percentOf(short, 40))} at 40%. Commuting does not count.`,
      source: mileageSource,
    };
  },
  explain({ taxYear }) {
    const { first, further } = mileageOf[taxYear];
    return {
      text: `The approved rate for business miles in your own car or van is **${first}p** a mile for the first ${firstMiles.toLocaleString("en-GB")} miles of the year and **${further}p** after that (${taxYear})${taxYear === "2026/27" ? "; it was 45p before 6 April 2026" : ""}. Up to that your employer pays it free of tax; if it pays less, you get tax relief on the difference. Commuting does not count.`,
      source: mileageSource,
    };
  },
};

const homeWorking: Topic = {
  about:
    "(?:work(?:ing)? from home|wfh|home ?office|home ?working)(?: \\S+){0,2} (?:relief|allowance|claim|expenses?|rebate)(?: .*)?|claim(?:ing)?(?: \\S+){0,3} (?:work(?:ing)? from home|wfh)(?: .*)?",
  roles: [["six", "A", ({ value }) => value === 6 || value === 26 || value === 62]],
  calculate: (given) => homeWorking.explain?.(given),
  explain: () => ({
    text: "**No longer for 2026/27**: from 6 April 2026 employees get no tax relief for the costs of working from home. For 2025/26 and earlier, if your employer required you to work from home, it is on £6 a week (£62.40 a year back at 20%, £124.80 at 40%), and you can claim up to four years back. Your employer can still pay you such costs free of tax.",
    source: "https://www.gov.uk/tax-relief-for-employees/working-at-home",
  }),
};

const fees: Topic = {
  about:
    "(?:nmc|gmc|hcpc|rcn|union|acca|icaew|professional|registration|membership|subscription)(?: \\S+)? (?:fees?|subs|subscriptions?|membership)",
  roles: [["fee", "A", isMoney], ...salaryRoles],
  asks: "claim|back|relief|deduct|tax",
  calculate(given) {
    const fee = given.yearly("fee");
    if (fee === undefined || given.amounts.salary !== undefined) return undefined;
    return {
      text: `Yes, if the body is on HMRC's list and you need it for your job: relief on ${money(fee)} gives **${money(percentOf(fee, 20))}** a year back at 20%, or ${money(percentOf(fee, 40))} at 40%. You can claim four years back.`,
      source: "https://www.gov.uk/tax-relief-for-employees/professional-fees-and-subscriptions",
    };
  },
};

const payrollGiving: Topic = {
  subject: "gift aid",
  about: "payroll giving|give as you earn",
  roles: [
    ["band", "P", ({ value }) => value === 20 || value === 40 || value === 45],
    ["gift", "A", hasPeriod],
  ],
  calculate(given) {
    const { gift, band } = given.amounts;
    if (gift === undefined) return undefined;
    const given100 = Math.round(gift.value * 100);
    const costs = (share: number) => money(given100 - percentOf(given100, share));
    const said = band
      ? `costs you **${costs(band.value)}** at ${band.value}%`
      : `costs you **${costs(20)}** at 20%, ${costs(40)} at 40%`;
    return {
      text: `${money(given100)} a ${gift.period} by payroll giving ${said}: it is taken before income tax, but National Insurance is due on it. Scotland's rates differ.`,
      source: "https://www.gov.uk/payroll-giving",
    };
  },
  explain: () => ({
    text: "Payroll giving takes a gift to charity from your pay before income tax, so £10 costs £8 at 20% or £6 at 40%. National Insurance is still due on it.",
    source: "https://www.gov.uk/payroll-giving",
  }),
};

export const workTopics: Topic[] = [
  construction,
  umbrella,
  selfEmployed,
  employersCost,
  mileage,
  homeWorking,
  fees,
  payrollGiving,
];
