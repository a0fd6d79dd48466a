/** Rules for the tax year, nation, age and student loans. */
import type { Nation, StudentLoanPlan } from "../../../../tax/rates.ts";
import { taxYearBeginning } from "../../../../tax/tax-year.ts";
import type { Facts } from "../facts.ts";
import { type Rule, rule, says, sets } from "./rule.ts";

export const months =
  "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
const taxYear = "(?:(?:tax|financial|fiscal) )?year";

export function monthNumber(name: string): number {
  return "jan feb mar apr may jun jul aug sep oct nov dec".split(" ").indexOf(name.slice(0, 3)) + 1;
}

function isDate(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1900 && year <= 2049 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isYear(value: number): boolean {
  return value >= 1990 && value <= 2049;
}

const ofPay = /\b(?:earn\w*|salary|wages?|pay|paid|income|made|make|on|tax\w*|rates?)\b/;

/** @param current the calendar year in which the current tax year began */
export function yearRules(current: number): Rule[] {
  const adds = (source: string, start: number) =>
    rule(source, (facts) => {
      facts.taxYears.push(taxYearBeginning(start));
    });
  return [
    rule(
      "(?:(?:fy|tax year) )?year:(?<start>\\d+)(?: (?:tax year|tax rates?|rates?))?",
      (facts, { groups, before }) => {
        const taxYear = taxYearBeginning(Number(groups.start));
        facts.taxYears.push(taxYear);
        if (before?.kind === "money") facts.dated.push({ taxYear, amount: before });
      },
    ),
    // "2025 vs 2026"
    rule("N (?:vs|versus|v|and|to|or|against) N(?! (?:hours?|hrs?|days?))", (facts, { amounts, text }) => {
      if (amounts.length !== 2 || !amounts.every(({ value, kind }) => kind === "number" && isYear(value)))
        return false;
      const [first = 0, second = 0] = amounts.map(({ value }) => value);
      const isOneYear = / to /.test(text) && second === first + 1;
      facts.taxYears.push(taxYearBeginning(first));
      if (isOneYear) return;
      facts.taxYears.push(taxYearBeginning(second));
      facts.comparison = true;
    }),
    rule(
      `(?:graduated|finished|started|began|left|did)(?: (?:uni|university|college|degree|course|studying|school|my|a|at|in|there|·))* (?:uni|university|college|degree|course|studying|school)(?: (?:in|·))* N|graduated(?: (?:in|from|uni|university))* N`,
      (facts, { amounts: [year] }) => {
        if (!isYear(year?.value ?? 0)) return false;
        facts.loanWithoutPlan = true;
      },
    ),
    rule(
      "year (?:ending|ended|to)(?: (?:in|on|N|\\d+(?:st|nd|rd|th)|of))* (?:apr(?:il)?|mar(?:ch)?) N",
      (facts, { amounts }) => {
        const value = amounts.at(-1)?.value ?? 0;
        if (!isYear(value)) return false;
        facts.taxYears.push(taxYearBeginning(value - 1));
      },
    ),
    rule(`(?<month>${months}) N`, (facts, { amounts: [year], groups }) => {
      const value = year?.value ?? 0;
      if (!isYear(value)) return false;
      const isBeforeApril = /^(?:jan|feb|mar)/.test(groups.month ?? "");
      facts.taxYears.push(taxYearBeginning(isBeforeApril ? value - 1 : value));
    }),
    rule(
      "(?:in|for|of|during|from|since|tax year|year|fy|back in)(?: the)? N(?: (?:tax year|rates?))?|N (?:tax year|rates|tax bands|tax rates)|(?<=(?:wage|nmw|nlw|rates?|bands?|thresholds?) )N",
      (facts, { amounts: [year] }) => {
        const value = year?.value ?? 0;
        if (!isYear(value)) return false;
        facts.taxYears.push(taxYearBeginning(value));
        facts.remarks.push(`I assumed that ${value} is the tax year ${taxYearBeginning(value)}.`);
      },
    ),
    rule("N(?= ?[?.!]?$| M)|(?<=(?:tax|taxes|pay) )N", (facts, { amounts: [year] }) => {
      const value = year?.value ?? 0;
      if (!isYear(value) || value < 2015) return false;
      facts.taxYears.push(taxYearBeginning(value));
      facts.remarks.push(`I assumed that ${value} is the tax year ${taxYearBeginning(value)}.`);
    }),
    adds(`${taxYear} before last`, current - 2),
    // "my gran left me 15,000 last year": not the year of the pay.
    rule(`(?:last|previous|past|this|next) ${taxYear}`, (facts, { sentence, isAside, text }) => {
      if (!isAside || ofPay.test(sentence)) return false;
      facts.remarks.push(`I left “${text}” out: I used one year for the whole question.`);
    }),
    adds(
      `(?:last|previous|past|prior) ${taxYear}|(?<=(?:this|current) ${taxYear} (?:than|and|or|vs|versus|to|with|against) )last(?! \\p{L}*(?:week|month|job|pay))`,
      current - 1,
    ),
    adds(
      `(?:next|coming|following) ${taxYear}|(?<!(?:until|till|til|after|before) )(?:next|coming) april`,
      current + 1,
    ),
    says(
      "(?:backdated|from|since|in|after|starting|begins?|begin)(?: (?:to|from|in|the))* (?:april|6th april)(?! N)",
      "I used one year's rates throughout.",
    ),
    sets(
      `(?:this|current|present|new) ${taxYear}|this years|(?<=(?:vs|versus|and|to|or|than) )this(?: one)?(?= ?[?.!]?$)`,
      { thisYear: true },
    ),
  ];
}

const places: [Nation, string][] = [
  [
    "Scotland",
    "scotland|scottish|scots|scot|edinburgh|glasgow|aberdeen(?:shire)?|dundee|inverness|stirling|perth(?:shire)?|fife|paisley|(?:scottish )?highlands|(?:scottish )?borders|st andrews|ayr(?:shire)?|falkirk|livingston|dunfermline|kirkcaldy|motherwell|kilmarnock|greenock|dumfries|elgin|oban|lanarkshire|lothian|orkney|shetland|skye|north of (?:the )?border",
  ],
  [
    "Wales",
    "wales|welsh|cardiff|swansea|newport|wrexham|llanelli|merthyr(?: tydfil)?|barry|bangor|aberystwyth|carmarthen|pembrokeshire|gwynedd",
  ],
  [
    "Northern Ireland",
    "northern ireland|northern irish|n ireland|belfast|derry|londonderry|lisburn|newry|armagh|omagh|(?<!(?:pay|pays|paid|paying|lose|losing|lost|goes|exempt|contribute|contributed|spend|spent|much) (?:in|from|to) )(?<=(?:in|from) )ni(?! (?:and|on|do|contributions?|tax))",
  ],
  [
    "England",
    "england|english|london(?! (?:weighting|allowance))|manchester|birmingham|leeds|bristol|liverpool|sheffield|newcastle|nottingham|oxford|cambridge|brighton|york|leicester|southampton|coventry|exeter|plymouth|norwich|carlisle|berwick|durham|sunderland|hull|bradford|derby|stoke|wolverhampton|reading|portsmouth|preston|bath|gloucester|ipswich|milton keynes|cornwall|devon|kent|essex|surrey|sussex|yorkshire|lancashire|cumbria|northumberland|rest of (?:the )?uk|ruk|south of (?:the )?border",
  ],
];
const anyPlace = places.map(([, words]) => words).join("|");

function nationOf(text: string): Nation | undefined {
  return places.find(([, words]) => new RegExp(`(?<!\\S)(?:${words})(?!\\S)`).test(text))?.[0];
}

const lives = "(?:live|living|lives|reside|resident|based)";
const works = "(?:work|working|works|job|commute|commuting|employed|office|employer)(?: (?:is|to|based))*";
const but = "(?:(?:but|and|,|i|would|will|be|am|still) )*";
const residence = (source: string) =>
  rule(source, (facts, { groups }) => {
    facts.nations.push(nationOf(groups.home ?? "") ?? "England");
    const home = facts.nations.at(-1);
    facts.remarks.push(`Your income tax rates depend on where you live (${home}), not on where you work.`);
  });

export const nationRules: Rule[] = [
  rule("(?:(?:live|living|based|work|working) )?in (?:uk|u \\. k|britain|great britain)"),
  rule(`not (?:in )?(?:${anyPlace})`),
  says(
    `${lives} in (?!(?:${anyPlace})(?: |$))(?<home>\\p{L}+) (?:(?:but|and|,) )*(?:my )?${works} in (?:${anyPlace})`,
    ({ groups }) =>
      `I don't know “${groups.home}”: where you live decides, and these figures are for England.`,
  ),
  residence(
    `${lives} in (?<home>${anyPlace}) (?:(?:but|and|,) )*(?:my )?${works} in (?:${anyPlace}|\\p{L}+)`,
  ),
  residence(`${works} in (?:${anyPlace}) ${but}${lives} in (?<home>${anyPlace})`),
  residence(`(?:commute|commuting|travel) from (?<home>${anyPlace}) (?:to|into) (?:${anyPlace})`),
  says(
    `${works} in (?:${anyPlace}) ${but}${lives} in (?<home>\\p{L}+)`,
    ({ groups }) =>
      `I don't know “${groups.home}”: where you live decides, and these figures are for England.`,
  ),
  rule(
    `(?:(?:live|living|lives|based|moving|moved|move|relocate|relocating|resident|residing) (?:(?:to|in|from) )?)?(?:${anyPlace})(?: (?:residents?|people|taxpayers?|tax payers?|rates?|tax rates?|bands))?(?:(?= (?:on|for|at|paying|earning) M)(?<on>)|(?= M)(?<next>)|)`,
    (facts, { text, before, after, groups }) => {
      const nation = nationOf(text) ?? (/(?:^| )ni$/.test(text) ? "Northern Ireland" : undefined);
      if (nation === undefined) return false;
      // "edinburgh 38k vs london 40k"
      const isNext =
        groups.next !== undefined &&
        (before === undefined || facts.placed.some(({ amount }) => amount === before));
      const amount = groups.on === undefined && !isNext ? before : after;
      const isKnown = facts.placed.some((one) => one.nation === nation && one.amount === amount);
      if (amount?.kind === "money" && !isKnown) facts.placed.push({ nation, amount });
      if (!facts.nations.includes(nation)) facts.nations.push(nation);
    },
  ),
];

export const ageRules: Rule[] = [
  sets(
    "(?:over|past|above|beyond|reached|after|of) (?:the )?(?:state )?(?:pension|retirement) age|pensioner|oap|category c",
    { overPensionAge: true },
  ),
  rule("over N(?! (?:hours?|hrs?|days?|weeks?|months?|years?))", (facts, { amounts: [age] }) => {
    const value = age?.value ?? 0;
    if (facts.age !== undefined || !Number.isInteger(value) || value < 60 || value > 110) return false;
    facts.age = value + 1;
  }),
  rule(
    `(?:i am|am|aged?|turning|turned|i will be) N(?: (?:years? old|yrs? old|yo|years? of age))?(?: (?:in|last|this) (?:${months}|year|month|week)(?! N))?|N (?:years? old|yrs? old|yo|years? of age|year olds?)`,
    (facts, { amounts: [age] }) => {
      const value = age?.value ?? 0;
      if (facts.age !== undefined || !Number.isInteger(value) || value < 10 || value > 110) return false;
      facts.age = value;
    },
  ),
  // "my uncle is 69"
  rule(
    "(?:he|she|who|dad|mum|mother|father|gran|grandad|uncle|aunt|son|daughter|grandson|granddaughter|brother|sister|friend|mate) is N(?= ?(?:[.,?!]|and|but|now|so|still|$))",
    (facts, { amounts: [age] }) => {
      const value = age?.value ?? 0;
      if (facts.age !== undefined || !Number.isInteger(value) || value < 16 || value > 110) return false;
      facts.age = value;
    },
  ),
  rule(
    `(?:born|birthday|date of birth|dob)(?: (?:is|was|on|in|:))* (?:(?:N|(?<nth>\\d+(?:st|nd|rd|th))) (?:of )?(?<month>${months})|(?<monthFirst>${months}) (?:N|(?<ordinal>\\d+(?:st|nd|rd|th)))(?: ,)?) N`,
    (facts, { amounts, groups }) => {
      const year = amounts.at(-1)?.value ?? 0;
      const day = Number.parseInt(groups.nth ?? groups.ordinal ?? "", 10) || (amounts[0]?.value ?? 0);
      const month = monthNumber(groups.month ?? groups.monthFirst ?? "");
      if (!isDate(year, month, day)) return false;
      facts.bornOn = { year, month, day };
      facts.born = year;
    },
  ),
  rule(`born (?:in )?(?:(?:${months}) )?N`, (facts, { amounts: [year] }) => {
    if (!Number.isInteger(year?.value)) return false;
    facts.born = year?.value;
  }),
  rule("still(?: (?:work(?:ing)?|earn(?:ing)?|employed|paid|on))?"),
];

const planOf: Record<number, StudentLoanPlan> = { 1: 1, 2: 2, 3: "postgrad", 4: 4, 5: 5 };
export const loan = "(?:student (?:loans?|finance|debts?)|loans?|finance)";
const negated =
  "(?:(?:did|do|does) not (?:have to )?(?:pay|repay)|do not have|not have|not got|have no|no longer have|no|without|not paying|not on|excluding|ignoring|ignore|finished|cleared|(?:have )?paid off|repaid|remove|removing|drop|take off|take out|scrap|cancel)(?: (?:a|my|any|the))?";

function addPlan(facts: Facts, plan: StudentLoanPlan): void {
  facts.plans = [...new Set([...(facts.plans ?? []), plan])];
}

export const loanRules: Rule[] = [
  rule("(?:how much|what)(?: (?:is|of|my))* student loan(?: repayments?)?(?= plan)", (facts) => {
    facts.figures.push("student-loan");
  }),
  sets("with (?:and|or|vs) without(?: (?:a|my|the))?(?= (?:student|loan|plan|pension|postgrad|P|M))", {
    withAndWithout: true,
  }),
  rule(`${negated} (?:${loan} plan N|plan N(?: ${loan})?|${loan}(?: (?:repayments?|plan))?)`, (facts) => {
    facts.plans = [];
  }),
  // The balance: "my student loan is 38k", "owe 38k".
  sets(
    `(?:${loan}(?: (?:balance|debt))? (?:is|are|was|of|stands at|=|:)|owe|owing) M(?: (?:on|in|of) (?:my |a |the )?${loan})?(?! (?:on|in|of|to)(?!\\S))|M (?:of |in |worth of )(?:outstanding )?student (?:loans?|debts?)|M student debt|M (?:left |outstanding |remaining )(?:on|of) (?:my |a |the )?(?:plan N )?${loan}|loan balance M`,
    { loanBalance: true, loanWithoutPlan: true },
  ),
  rule(`(?:have|got|with|and)(?: an?)? M ${loan}`, (facts, { amounts: [balance] }, reading) => {
    if (reading.money.length < 2 || reading.money[0] === balance) return false;
    facts.loanBalance = true;
    facts.loanWithoutPlan = true;
  }),
  // The repayment of a plan, or the plan alone: "student loan plan 2 on 45k how much a month", "student loan type 2"
  rule(
    `(?<asked>(?<=^(?:(?:what|how much|is|are|do|i|pay|calculate|show|me|tell|give) )*)${loan}? ?plan N(?: ${loan})? (?:repayments?|deductions?|payments?)|(?:student )?loan(?: repayments?)? plan N(?= (?:on|at|for) M(?: ,)? (?:how much|what)))|student loans?(?: (?:type|number))? N(?! (?:student|loans?|vs|or))`,
    (facts, { amounts: [plan], groups }) => {
      const of = planOf[plan?.value ?? 0];
      if (of === undefined) return false;
      addPlan(facts, of);
      if (groups.asked !== undefined) facts.figures.push("student-loan");
    },
  ),
  rule(
    "plans? N (?:vs|versus|v|or|against|instead of|rather than|compared (?:to|with)|(?:(?:any )?(?:better|worse|cheaper|dearer) )?than) (?:plan )?N",
    (facts, { amounts: [one, other] }) => {
      const first = planOf[one?.value ?? 0];
      const second = planOf[other?.value ?? 0];
      if (first === undefined || second === undefined || first === second) return false;
      facts.comparison = true;
      facts.planChoices = [[first], [second]];
    },
  ),
  rule(
    `(?:${loan} )?(?:repayment )?plans? N(?=(?: (?:,|and))* N (?:mortgage|rent|bills|council|car|childcare|bonus))|(?:${loan} )?(?:repayment )?plans? N(?: (?:(?:,|and|\\+|plus|/|plan) )+N)*(?: ${loan})?(?: repayments?)?`,
    (facts, { amounts }) => {
      for (const { value } of amounts) {
        const plan = planOf[value];
        if (plan === undefined) facts.unknownPlan = String(value);
        else addPlan(facts, plan);
      }
    },
  ),
  rule(
    "(?:post ?grad(?:uate)?|pg(?! [a-z])|masters?|phd|doctoral|pgl)(?: (?:student |degree )?(?:loans?|finance|plan))?",
    (facts) => {
      addPlan(facts, "postgrad");
    },
  ),
];

export const bareLoan: Rule[] = [
  sets(`(?:N )?${loan}(?: (?:repayments?|deductions?|payments?))?`, { loanWithoutPlan: true }),
];
