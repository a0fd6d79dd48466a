/** Rules for amounts other than the salary: extras, pensions, rises, other jobs, a partner's pay, outgoings. */
import type { PensionKind } from "../../../../tax/work-out.ts";
import type { Facts, SaidPension } from "../facts.ts";
import type { Match, Reading } from "../reading.ts";
import { addSubject, subjectRules } from "../subjects.ts";
import type { Amount } from "../tokens.ts";
import { pounds } from "../wording.ts";
import { as, is, partOf, type Rule, rule, says, sets, yearlyOf } from "./rule.ts";

const kinds =
  "(?:(?:christmas|xmas|annual|year end|end of year|yearly|one off|signing|sign on|joining|performance|guaranteed|expected|discretionary|cash|welcome|retention|sales) )*";
const extraNames =
  "bonus(?:es)?|overtime|commission|tips|sign(?:ing)? on(?: bonus)?|golden hello|car allowance|car cash|(?:inner |outer )?london (?:weighting|allowance)|weighting|shift (?:allowance|pay|premium)|on call(?: allowance| pay)?|standby(?: allowance)?|unsocial hours(?: pay)?|travel allowance|living allowance|location allowance|housing allowance|fuel allowance|phone allowance|rsus?(?: vest(?:ing|ed)?)?|restricted stock units?|holiday pay|back ?pay|backdated pay|lump sum|one off payment|allowance";

const smallestExtra = 100;

function addExtra(
  facts: Facts,
  { amounts: [amount], groups, text, before, after }: Match,
  reading: Reading,
): boolean {
  if (amount === undefined) return false;
  // "the rate on a bonus at 110k": the salary
  if (/ at \S+$/.test(text) && amount.kind === "money" && reading.money.length === 1) return false;
  // A few pounds are a rate, not what comes on top in a year.
  const name = nameOf(groups);
  const isRate = amount.kind === "money" || (amount.kind === "number" && name === "overtime");
  if (isRate && amount.period === undefined && amount.value < smallestExtra) return false;
  if (/^(?:includ|inclusive|of which)/.test(text)) facts.includedExtras.push(name);
  else {
    const of = before?.kind === "money" ? yearlyOf(before) : undefined;
    const isRegular = /allowance|weighting|premium|standby|on call/.test(name);
    if (isRegular && amount.kind !== "percent" && before?.period && !amount.period) {
      amount.period = before.period;
      facts.remarks.push(`I assumed that the ${name} is paid with each ${before.period}'s salary.`);
    }
    facts.extras.push({ name, part: partOf(amount), of, isBetween: after?.kind === "money" });
  }
  return true;
}

/** "44k bonus 6k overtime 2k": a salary, then names with amounts. Of two amounts, the smaller one belongs to the name. */
function addNamed(facts: Facts, { amounts, text }: Match, reading: Reading): boolean {
  const names = [...text.matchAll(new RegExp(`(?<=^\\S+ .*)(?<!\\S)(?:${extraNames})(?!\\S)`, "g"))].map(
    ([name]) => name,
  );
  const [first, second] = amounts;
  if (first === undefined || second === undefined || names.length !== amounts.length - 1) return false;
  const isFirstSmaller = amounts.length === 2 && isSmaller(first, second);
  const [salary, ...extras] = isFirstSmaller ? [second, first] : amounts;
  if (salary === undefined || extras.some((extra) => !isSmaller(extra, salary))) return false;
  extras.forEach((amount, at) => {
    const name = nameOf({ name: names[at] });
    facts.extras.push({ name, part: partOf(amount), of: yearlyOf(salary), isBetween: true });
    reading.takeAmount(amount);
  });
  return true;
}

function isSmaller(one: Amount, other: Amount): boolean {
  if (one.kind === "percent" || other.kind === "percent") return one.kind === "percent";
  return yearlyOf(one) < yearlyOf(other);
}

const nameOf = ({ name = "extra pay" }: Match["groups"]) =>
  name.replace(/bonuses$/, "bonus").replace(/^rsus?.*/, "RSUs");

const included = "(?:(?:including|includes|inclusive of|of which) )?";
const enough =
  "(?:good|decent|fair|bad|low|ok|okay|fine|realistic|liveable|livable|competitive|(?:high )?enough)(?: (?:salary|wages?|pay|money|income))?(?: to (?:live|survive|get by)(?: (?:comfortably|well|alone))*(?: on)?)?";
/** "is 30k good", "can I live on 30k": the answer gives no opinion. */
export const judgement = says(
  `(?<=(?:S|is (?:that|this|it)) )(?:be )?${enough}(?! (?:morning|afternoon|evening|for))|(?:(?:can|could|would|will|is it possible|possible) )?(?:(?:i|we|you|anyone|someone|people|person|family(?: of N)?|couple|to) )*(?:(?:still|comfortably|easily|be able to|afford to) )*(?:live|survive|manage|get by|cope)(?: (?:comfortably|ok|okay|well|alone|easily))* (?:on|off)(?= M)|(?:live|survive|get by|manage)(?: (?:comfortably|ok|okay|well|alone))*`,
  ({ text }, reading) =>
    /^(?:live|survive|get by|manage)/.test(text) && !/\b(?:can|could|afford|enough)\b/.test(reading.text)
      ? undefined
      : "I can't judge whether that is enough: I only work out your take-home, not what things cost.",
);

const basic = "(?:basic|base|core|contracted|flat)";
const inAll =
  "(?:total|in total|in all|all in|altogether|overall|with (?:enhancements|overtime|commission|bonus(?:es)?|allowances|extras|shifts|everything))";
const toMore =
  "(?: (?:and|plus|but|,|·|with|commission|overtime|enhancements|it|is|more|about|comes?|to|works?|out|at))*";

/** "44k basic, 53k total": one salary and what comes on top of it. */
const basicAndTotal = rule(
  `M ${basic}(?: (?:pay|salary))?${toMore} (?:M(?: (?:in|with|·))* ${inAll}|${inAll}(?: (?:·|it|is|of|more|about))* M)|${basic}(?: (?:pay|salary))?(?: (?:is|of))* M${toMore} (?:M(?: (?:in|with|·))* ${inAll}|${inAll}(?: (?:·|it|is|of|more|about))* M(?: (?:with|including) (?:overtime|commission|bonus(?:es)?|enhancements|tips))?)|M ${basic}(?: ,)? with enhancements(?: (?:it|is|more|about|·))* M`,
  (facts, { amounts: [base, total] }, reading) => {
    if (base?.kind !== "money" || total?.kind !== "money" || base.period !== total.period) return false;
    if (base.value >= total.value || facts.extras.length > 0 || reading.money.length !== 2) return false;
    const extra = yearlyOf(total) - yearlyOf(base);
    facts.extras.push({ name: "extra pay", part: { pounds: Number(extra.toFixed(2)) } });
    facts.speaksOfPay = true;
    facts.sources.push(total.value);
    reading.takeAmount(total);
  },
  "absorb",
);

export const extraRules: Rule[] = [
  basicAndTotal,
  sets(
    "(?:no|without|excluding|excl|ex|ignoring|not including|before|remove|minus)(?: ·)* (?:bonus(?:es)?|overtime|commission|(?:car )?allowance|tips)(?! (?:of )?S)",
    { withoutExtras: true },
  ),
  rule(
    `(?:M|P)(?: ${kinds}(?:${extraNames}) (?:M|P))+(?!${as} ${kinds}(?:${extraNames}|pension|rent))`,
    addNamed,
    "absorb",
  ),
  // In "45k bonus of 3k", the amount after the name belongs to the name.
  rule(
    `${included}(?:P${as} ${kinds}(?<name>${extraNames})(?: on top)?(?! [:=] S)|A${as} ${kinds}(?<name>${extraNames})(?: on top)?(?! (?:[:=]|of|is|worth) S))`,
    addExtra,
  ),
  // "45k including bonus"
  rule(
    `(?:including|includes|inclusive of|of which)(?: ·)* ${kinds}(?<name>${extraNames})(?! (?:of |is )?S)`,
    (facts, { groups }) => {
      facts.includedExtras.push(nameOf(groups));
    },
  ),
  // "38k but 4k of that is overtime"
  rule(
    `A of (?:that|it|this|which) (?:is|was|being)(?: ·)* ${kinds}(?<name>${extraNames})`,
    (facts, { groups }) => {
      facts.includedExtras.push(nameOf(groups));
    },
  ),
  // "london weighting of 5k included in 38k"
  rule(`${kinds}(?<name>${extraNames})${is} S(?: (?:is|already))* included(?: in)?`, (facts, { groups }) => {
    facts.includedExtras.push(nameOf(groups));
  }),
  rule(
    `${included}${kinds}(?<name>${extraNames})${is} S(?: (?:on top|of (?:base |basic )?salary))?`,
    addExtra,
  ),
];

const scheme =
  "(?:lgps|uss|s?tps|nest(?! pension| egg)|(?:(?:nhs|teachers?|lgps|local government|civil service|alpha|uss|firefighters?|police|workplace|work|company|personal|private|occupational|military|army|armed forces|nest|stakeholder) )*(?:pensions?(?: (?:pot|scheme|plan|fund))?|sipp|avcs?|additional voluntary contributions?))";
const gives =
  "(?:pay|pays|paying|(?:gave|give|giving) up|put|puts|putting|contribute|contributes|contributing|contribution|contributions|sacrifice|sacrificing|save|saving|add|adding|minus|less|into|employee)";
const kind = "(?:salary sacrifice|sal sac|smart pension|relief at source|net pay arrangement)";
const by = `(?: (?:(?:by|via|through|as|using|in|on|with|,) )?${kind})?`;

function kindOf(text: string): PensionKind | undefined {
  if (/sacrific|sal sac|smart/.test(text)) return "salary sacrifice";
  if (/net pay/.test(text)) return "net pay";
  if (/nhs|teacher|lgps|local government|civil service|alpha|uss|tps|firefighter|police/.test(text))
    return "net pay";
  if (/relief at source|sipp|personal|private/.test(text)) return "relief at source";
  return undefined;
}

const inKind = subjectRules.find(({ subject }) => subject.name.startsWith("company cars"))?.subject;

/** From here on "a pension of 12k" is income, not a contribution, unless a word says so. */
const largestUnsaid = 5_000;

/** Notes the salary before a pension. @returns whether it differs from the salary of the last pension */
function addPensionOf(
  { pensionsOf }: Facts,
  { before, after }: Match,
  pension: SaidPension | undefined,
): boolean {
  if (before?.kind !== "money" || pensionsOf.at(-1)?.salary === before) return false;
  pensionsOf.push({ salary: before, isBetween: after?.kind === "money", pension });
  return true;
}

function setPension(facts: Facts, match: Match, reading?: Reading): boolean {
  const {
    amounts: [amount],
    text,
  } = match;
  if (amount === undefined) return false;
  // "salary sacrifice £450 a month" for a car
  if (
    inKind &&
    /sacrific|sal sac/.test(text) &&
    !/pension/.test(text) &&
    /\b(?:car|bike|cycle|ev|lease|van)\b/.test(reading?.text ?? "")
  ) {
    addSubject(facts, inKind, amount.kind === "percent" ? `${amount.value}%` : pounds(amount.value));
    facts.subjectSums = true;
    return true;
  }
  // A second contribution from the same salary stays in the text, to be left out by name.
  if (typeof facts.pension === "object")
    return addPensionOf(facts, match, { part: partOf(amount), kind: kindOf(text) });
  const isContribution =
    amount.kind === "percent" || amount.period !== undefined || amount.value < largestUnsaid;
  if (
    !isContribution &&
    !new RegExp(`(?:^| )(?:${gives}|payments?|towards|with|to|in)(?: |$)|sacrific|sal sac|sipp`).test(text)
  )
    return setPensionIncome(facts, match);
  takePeriodOfPay(facts, match);
  facts.pension = { part: partOf(amount), kind: kindOf(text) };
  addPensionOf(facts, match, facts.pension);
  return true;
}

const pensionInPayment = subjectRules.find(({ subject }) => subject.name === "pensions in payment")?.subject;

/** "4k a month with £320 pension": £320 a month. Without a period, a small sum is read as a year's, and the answer says so. */
function takePeriodOfPay(facts: Facts, { amounts: [amount], before, after }: Match): void {
  if (amount?.kind !== "money" || amount.period !== undefined || amount.scaled) return;
  const pay = [before, after].find((one) => one?.kind === "money");
  if (pay?.period === "month" || pay?.period === "week") {
    if (2 * amount.value > pay.value) return;
    amount.period = pay.period;
    facts.remarks.push(
      `I assumed that the ${pounds(amount.value)} is for a ${pay.period}, as the salary is.`,
    );
  } else if (amount.value < smallestYearly)
    facts.remarks.push(
      `I assumed that the ${pounds(amount.value)} is for a year: say “a month” if it is not.`,
    );
}

/** A contribution below this may be a month's. */
const smallestYearly = 1_000;

/** "I get £700 a month from my pension": income, not a contribution. */
function setPensionIncome(facts: Facts, { amounts: [amount] }: Match): boolean {
  if (amount?.kind !== "money" || !pensionInPayment) return false;
  addSubject(facts, pensionInPayment, pounds(amount.value));
  return true;
}

/** "42k with no pension". */
function setNoPension(facts: Facts, match: Match): boolean {
  if (/^(?:opt|stop)/.test(match.text) && facts.pension === undefined) {
    facts.asksOptOut = /\b(?:gain|extra|more|difference|save|better)\b/.test(match.sentence);
    facts.remarks.push(
      "You can opt out of a workplace pension, but lose the employer's part. Give your contribution, such as “opt out of my 5% pension”, for the difference.",
    );
  }
  if (typeof facts.pension !== "object") facts.pension = "none";
  addPensionOf(facts, match, undefined);
  return true;
}

const towards =
  "(?:get|getting|bring|bringing|keep|keeping|stay|staying|drop|dropping|go|be|reduce|reducing|come)(?: (?:me|it|(?:taxable |adjusted net )?(?:income|salary|pay|earnings)))*(?: (?:back|down|just))* (?:to|under|below)";

/** What a pension is for: before or after the word. */
function besidePension(aim: string): string {
  const pension = `(?:${scheme}|sacrific|sal sac)`;
  const words = `(?:(?:so|to|and|that|i|we|can|would) )*${aim}`;
  return `${words}(?=.*${pension})|(?<=${pension}.*)${words}`;
}

/** "pension to get down to 100k": the contribution is the difference. */
const pensionDownTo = rule(besidePension(`${towards} M`), (facts, { amounts: [amount] }) => {
  if (amount?.kind !== "money" || facts.pensionDownTo !== undefined) return false;
  facts.pensionDownTo = amount;
});

/** "pension to get my allowance back": the allowance is whole up to £100,000. */
const wholeAllowanceUpTo: Amount = {
  value: 100_000,
  kind: "money",
  currency: "£",
  scaled: false,
  negative: false,
  period: "year",
};
const allowanceBack =
  "(?:avoid|avoiding|escape|escaping|beat|get out of|getting out of|not pay)(?: (?:the|·))* P(?: (?:tax|trap|rate|band))*|(?:get|getting|keep|keeping|regain|restore|recover|save|not lose|avoid losing)(?: (?:back|all|of|full|whole|entire|personal|tax free))* allowance(?: back)?";
const pensionForAllowance = rule(besidePension(`(?:${allowanceBack})`), (facts, { amounts: [rate] }) => {
  // The allowance shrinks where £1 more costs 60p of tax, or 62p with National Insurance.
  if (rate && rate.value !== 60 && rate.value !== 62) return false;
  facts.pensionDownTo ??= wholeAllowanceUpTo;
});

const avoid =
  "(?:(?:to|so|i|we|do|dont|that) )*(?:avoid|avoiding|not|never|no longer|stay(?:ing)? (?:out of|below|under)|keep(?:ing)? (?:out of|below|under)|get(?:ting)? (?:out of|below|under)|escape)(?: (?:be|being|go|going|get|getting|pay|paying|into|in|the|a|·))*";
const pensionForBasicRate = rule(
  besidePension(
    `(?:${avoid} (?:higher(?: rate)?|P)|(?:stay|staying|keep|remain)(?: (?:a|in|on|at|within))* basic rate)(?: (?:tax|rate|band|bracket|tax ?payer))*`,
  ),
  (facts, { amounts: [rate] }) => {
    if (facts.pensionDownTo !== undefined || (rate && rate.value !== 40)) return false;
    facts.pensionDownTo = "higher rate";
  },
);

const thing = "(?:(?:electric |company )?(?:car|bike|bicycle|ev|van)|phone|laptop|tech|holiday)";

export const pensionRules: Rule[] = [
  // "£400 a month salary sacrifice for a car"
  rule(
    `(?:salary sacrifice|sal sac)${is} S(?: (?:for|on|a))* ${thing}|${thing} (?:salary sacrifice|sal sac)${is} S|S(?: (?:a|for|on|by|via|through|of))* (?:salary sacrifice|sal sac)(?: (?:for|on|a))* ${thing}|${thing}${is} S(?: (?:by|via|through|as|on|a))* (?:salary sacrifice|sal sac)|S(?: (?:for|on|a))* ${thing} (?:salary sacrifice|sal sac)`,
    (facts, { amounts: [amount] }) => {
      if (!inKind || amount === undefined) return false;
      addSubject(facts, inKind, amount.kind === "percent" ? `${amount.value}%` : pounds(amount.value));
      facts.subjectSums = true;
    },
  ),
  says(
    `P ${scheme} (?:on|of|from|out of) (?:it|that|this|bonus)`,
    ({ text, amounts: [share] }) =>
      `I left the pension of ${share?.value}% ${text.replace(/^.*(?=(?:on|of|from|out of) \w+$)/, "")} out: give it in pounds a year.`,
  ),
  // "salary sacrifice 8% of 55k into pension"
  rule(
    `(?:(?<kind>${kind}|sacrificing|sacrifice|pay|paying|put|putting|contribute|contributing) )?P of(?= M (?:into|in|to|for) (?:· )?${scheme})`,
    (facts, { amounts: [share], groups }) => {
      if (share === undefined || facts.pension !== undefined) return false;
      facts.pension = { part: partOf(share), kind: kindOf(groups.kind ?? "") };
    },
  ),
  rule(`(?:into|in|to) ${scheme}`, ({ pension }) => typeof pension === "object"),
  // A bonus that goes into the pension is not taxed.
  rule(
    `(?:(?:put|putting|pay|paying) )?(?:(?:all|whole|entire|of) )*${kinds}bonus(?: of)? (?:M|P)(?: (?:goes|going|paid|put|straight|all))* (?:in|into|to) ${scheme}|(?:(?:put|putting|pay|paying) )?(?:(?:all|whole|entire|of) )*(?:M|P) bonus(?: (?:goes|going|paid|put|straight|all))* (?:in|into|to) ${scheme}`,
    (facts, { amounts: [bonus] }) => {
      if (bonus === undefined || facts.pension !== undefined) return false;
      facts.extras.push({ name: "bonus", part: partOf(bonus) });
      facts.pension = { part: partOf(bonus), kind: undefined };
    },
  ),
  sets(
    "(?:is |also |and )*match(?:ed|es)? by (?:employers?|company|work|boss)|(?:employers?|company) matched",
    {
      employerPension: true,
    },
  ),
  // "pension 3% them 5% me"
  rule(
    `(?:${scheme} )?P (?:from )?(?:them|they|employers?|company|boss)(?: (?:and|,))* P(?: from)? (?:me|mine|i|myself|own|employee)(?: ${scheme})?|(?:${scheme} )?P(?: from)? (?:me|mine|i|myself|own|employee)(?: (?:and|,))* P (?:from )?(?:them|they|employers?|company|boss)(?: ${scheme})?`,
    (facts, { amounts: [first, second], text }) => {
      const own = /^\S*(?: \S+){0,2}? (?:from )?(?:me|mine|i|myself|own|employee)(?!\S)/.test(text)
        ? first
        : second;
      if (own === undefined) return false;
      facts.pension = { part: partOf(own), kind: undefined };
      facts.employerPension = true;
    },
  ),
  rule(
    `(?:get|gets|getting|receive|receives|receiving|draw|draws|drawing|claim|claiming|take|taking)(?: (?:·|down))* M(?: (?:·|from|of|in|out of|state))* ${scheme}(?: income)?(?! contributions?)`,
    setPensionIncome,
  ),
  rule(
    `state pension(?: (?:of|is|:|at|which))* M|(?<!will )(?:have|has|got)(?: (?:·|also|already|small))* ${scheme} (?:of|paying|worth) M(?! (?:·|a|per) (?:contributions?|deductions?))`,
    setPensionIncome,
  ),
  pensionDownTo,
  pensionForAllowance,
  pensionForBasicRate,
  rule(
    "(?:put|pay|contribute|sacrifice)(?: (?:in|into))?|(?:should|need)(?: i)?",
    (facts) => facts.pensionDownTo !== undefined,
  ),
  rule(
    `P(?: ${scheme})? (?:or|vs|versus) P ${scheme}|P ${scheme} (?:or|vs|versus) P(?= ?[?.!,]?$)|${scheme}(?: (?:contributions?|from|of|at|goes|go|going|went|rises?|changes?|increases?))* P (?:to|vs|versus|or|instead of|-) P|from P to P(?: in| into)? ${scheme}`,
    (facts, { amounts: [one, other] }) => {
      if (one === undefined || other === undefined) return false;
      facts.pensionBefore = partOf(one);
      facts.pension = { part: partOf(other), kind: undefined };
    },
  ),
  // "5% salary sacrifice vs 5% relief at source"
  rule(
    `P(?: (?:by|via|with|as))? (?<one>${kind}) (?:and|vs|versus|or|against|with|to) (?:P(?: (?:by|via|with|as))? )?(?<other>${kind})`,
    (facts, { amounts: [first, second = first], groups }) => {
      if (first === undefined || second === undefined || facts.pension !== undefined) return false;
      const of = (amount: Amount, words = "") => ({ part: partOf(amount), kind: kindOf(words) });
      const both = [of(first, groups.one), of(second, groups.other)];
      facts.pension = both[0];
      facts.pensionsOf = both.map((pension) => ({ salary: first, isBetween: false, pension }));
      facts.comparison = true;
    },
  ),
  rule(
    `(?:(?:put|putting|pay|paying|adding|add|contribute|contributing|contributed) )?P (?:more|extra|additional)(?: (?:in|into|to|of|on))?(?: (?:my|the))? ${scheme}(?: contributions?)?|(?:increase|increasing|raise|raising|up|upping)(?: (?:my|the))? ${scheme}(?: contributions?)? by P`,
    (facts, { amounts: [more] }) => {
      if (more === undefined || facts.pension !== undefined) return false;
      facts.pension = { part: partOf(more), kind: undefined };
      facts.withAndWithout = true;
      facts.comparison = true;
      facts.remarks.push(
        "I compared this contribution with none: name the one before, such as “from 5% to 6%”, to compare with that.",
      );
    },
  ),
  // "if I opt out of my 5% pension"
  rule(
    `(?:opt(?:ed|ing)? out of|stop(?:ped|ping)?(?: paying)?|quit(?:ting)?|leav(?:e|ing)|drop(?:ped|ping)?)(?: (?:my|the|a|into))* P ${scheme}(?: contributions?)?`,
    (facts, match) => {
      if (!setPension(facts, match)) return false;
      facts.withAndWithout = true;
      facts.comparison = true;
    },
  ),
  rule(
    `(?!(?:company|work) pension (?:of|at|is) )(?:employers?|company|work|boss) (?:(?:also|puts?|in|at|my|contributes?|contributions?|pays?|matches|matching|match|puts in|adds|pension|of|is|in|up to) )*S(?! (?:ni|nics?|national insurance|tax))(?: (?:too|into|pension|contributions?|match|matching))*|S (?:from )?(?:employers?|company)(?: (?:contributions?|pension|match|matching))*(?! S(?! (?:employee|me|mine|from me|personal|own)))`,
    (facts, { text, amounts: [amount], before }) => {
      // "my company pays 45k" is a salary.
      if (amount?.kind !== "percent" && !/pension|contribut|match/.test(text)) return false;
      facts.employerPension = true;
      if (amount?.kind === "percent" && before?.kind === "money")
        facts.remarks.push(
          `With ${pounds(yearlyOf(before))} the employer pays ${pounds((yearlyOf(before) * amount.value) / 100)} a year into the pension.`,
        );
      // "my employer matches 5%": the employee pays 5% too.
      if (amount && /match/.test(text)) facts.pension = { part: partOf(amount), kind: undefined };
    },
  ),
  rule(
    `(?:put|pay|paying|contribute|contributing)(?: in)? P(?! (?:tax|rate|band))`,
    (facts, match) => facts.employerPension && setPension(facts, match),
  ),
  rule(
    `(?:no|without|not including|not paying|not in|opt(?:ed|ing)? out of|excluding|ignoring|stop paying|before)(?: (?:a|my|any|the|into))* (?:${scheme}|pension contributions?)(?: contributions?)?`,
    setNoPension,
  ),
  // "42k in the teachers pension 9.6%": the salary is not the contribution.
  rule(
    `(?<=M(?: (?:in|with|on|and|from|paying into))? )${scheme}(?: (?:contributions?|payments?|deductions?|employee|of|is|at|rate|:|=|,))* P(?! (?:employers?|company|from))(?: (?:contributions?|employee|of (?:my )?salary))*${by}`,
    setPension,
  ),
  // "£39k sipp 300 a month"
  rule(`(?<=M )${scheme}(?: (?:contributions?|payments?|of|is|at|:|=|,))* A`, (facts, match) => {
    const [amount] = match.amounts;
    const isSmall = amount !== undefined && (amount.period !== undefined || amount.value < largestUnsaid);
    return isSmall && amount.kind === "money" && setPension(facts, match);
  }),
  rule(
    "(?:(?:nhs|teachers?|local government|civil service|alpha|police|firefighters?) )+P(?! (?:pay|rise|raise|payrise|increase|uplift|award|bonus|more|tax))(?: (?:pensions?|scheme|contributions?))*",
    setPension,
  ),
  rule(
    `(?:${gives} )?S(?: (?:of it|of that|of (?:(?:my|annual|gross|basic|monthly) )*(?:pay|salary|wages?)|gross|employee|contributions?|personally))*${as} (?:(?:my|the|employee) )?${scheme}(?: (?:contributions?|payments?|deductions?))?${by}`,
    setPension,
  ),
  rule(
    `${scheme} (?:(?:contributions?|payments?|deductions?|employee|of|is|at|rate|:|=) )*S(?: (?:contributions?|employee|of (?:my )?salary))*${by}`,
    setPension,
  ),
  rule(
    `(?:${kind}|sacrific(?:e|ing))${is} S(?: (?:of (?:my )?(?:salary|pay|it)|(?:into|to) (?:my |a |the )?${scheme}))*`,
    setPension,
  ),
  rule(`S(?: (?:by|via|through|as|on|in))? net pay ${scheme}`, setPension),
  rule("(?:with |has |and )*(?:none|without(?: one)?|nothing)", (facts, match) => {
    const isOther = typeof facts.pension === "object" && match.before !== facts.pensionsOf.at(-1)?.salary;
    if (!isOther || facts.pensionsOf.length === 0) return false;
    setNoPension(facts, match);
  }),
  rule(`S(?: (?:by|via|through|as|on))? ${kind}`, setPension),
  rule(`(?:instead )?${kind}(?: (?:instead|scheme|pension))*`, (facts, { text }) => {
    facts.pensionKind = kindOf(text);
  }),
  rule(
    "(?:at|of) P(?! (?:tax|rate|band|bonus))",
    (facts, match) =>
      facts.pensionKind !== undefined && facts.pension === undefined && setPension(facts, match),
  ),
];

/** "what does a 5% pension cost me": the difference with and without. */
export const pensionCost = rule(
  "(?:(?:how much|what)(?: (?:does|do|will|would|is|·))* )?(?:(?<!(?:employers?|company|total|boss|what) )costs?(?: (?:me|of|·))*(?! (?:to|employ|M))|less|lose|losing|(?<!(?:employers?|boss|company|companies)(?: (?:will|would|does))? )sav(?:e|ing)(?: in)?|(?:putting · )?(?:reduces?|reducing)(?: (?:·|by))*)(?: from(?: ·)?)?(?: take home(?: pay)?(?: by)?)?",
  (facts, _, reading) => {
    const isOfLoan = facts.pension === undefined && !reading.text.includes("pension");
    if (isOfLoan && facts.plans && facts.plans.length > 0) {
      facts.figures.push("student-loan");
      return;
    }
    if (typeof facts.pension !== "object" || facts.pensionsOf.length > 1) return false;
    facts.comparison = true;
    if (facts.pensionBefore === undefined) facts.withAndWithout = true;
  },
);

export const barePension: Rule[] = [
  rule(
    `(?:${scheme}|auto enrol(?:l?ment|led)|automatic enrolment)(?: (?:contributions?|deductions?|scheme))?`,
    (facts) => {
      facts.pension ??= "unsaid";
    },
  ),
];

const up =
  "(?:(?:pay|salary|wage|annual) )?(?:rise|raise|payrise|increase|uplift|hike|bump|increment|promotion)";
const down = "(?:(?:pay|salary|wage) )?(?:cut|paycut|decrease|reduction|drop)";
const setRise =
  (sign: 1 | -1): Rule["use"] =>
  (facts, { amounts: [amount] }) => {
    if (amount === undefined || facts.rise !== undefined || isCount(amount)) return false;
    facts.rise = { part: partOf(amount), sign };
  };

/** "5 extra hours", "10 more": a small bare number may count anything. */
const isCount = ({ kind, value }: Amount) => kind === "number" && value < smallestYearly;

/** "45k rise 3k": the smaller of two amounts is the rise. */
const setSmallerRise =
  (sign: 1 | -1): Rule["use"] =>
  (facts, { amounts: [one, other] }, reading) => {
    if (one === undefined || other === undefined || facts.rise !== undefined) return false;
    const rise = isSmaller(one, other) ? one : other;
    facts.rise = { part: partOf(rise), sign };
    reading.takeAmount(rise);
  };

/** "a bonus of 10k, should I put it in the pension": with and without. */
export const bonusIntoPension = rule(
  `(?:put|putting|pay|paying|sacrifice|sacrificing)(?: (?:it|all|that|this|whole|of|entire|bonus|·))* (?:in|into|to) ${scheme}`,
  (facts, { text }, reading) => {
    const [bonus, other] = facts.extras;
    if (!bonus || other || bonus.name !== "bonus" || facts.pension !== undefined) return false;
    if (!/ (?:it|all|whole|bonus|that|this|·) /.test(text) || reading.percentages.length > 0) return false;
    facts.pension = { part: bonus.part, kind: undefined };
    facts.withAndWithout = "pension";
    facts.comparison = true;
  },
);

/** "how much of a 3k bonus will I keep on 40k": the difference with and without the bonus. */
export const bonusRise = rule(
  `(?<=^(?:(?:what|how much|is|would|·) )*)S ${kinds}(?:bonus|commission|overtime) after (?:tax|deductions)|(?:keep|(?<=(?:much|what) .*)get|left|see|lose|tax|taxed|ni|nics?|national insurance|student loan|pay|much|take home|after tax)(?: (?:of|from|on|out of|tax|i|would|will|do|keep|is|taken|deducted|come|comes|off|due))* S${as} ${kinds}(?:bonus(?:es)?|commission|overtime)(?! of)`,
  (facts, { amounts: [amount], text }) => {
    if (amount === undefined) return false;
    facts.rise = { part: partOf(amount), sign: 1 };
    if (/student loan/.test(text)) facts.figures.push("student-loan");
    else if (/tax/.test(text)) facts.figures.push("income-tax");
    else if (/\b(?:ni|nics?|national insurance)\b/.test(text)) facts.figures.push("national-insurance");
  },
);

const keeps = "(?:keep|see|get|take home|receive|pocket)";
const keptThing = `(?:it|that|this|(?:second|2nd|other|extra|weekend|new)(?: (?:one|job|pay|income|money))?|bonus(?:es)?|commission|overtime)`;
/** "how much of the bonus do I keep", if its amount was given before. */
export const keptOf = rule(
  `(?:how much|what)(?: (?:of|from|out of)) ${keptThing} (?:do|will|would|can|should|could) i(?: (?:get to|have to))? ${keeps}|(?:how much|what) (?:do|will|would|can|should|could) i(?: get to)? ${keeps} (?:of|from|out of) ${keptThing}|what is left(?: over)? (?:of|from) ${keptThing}|how much (?:of|from) ${keptThing} is left`,
  (facts, _, reading) => {
    const sums = reading.money.length + facts.extras.length + facts.secondJobs.length;
    // Without sums, those of the earlier question.
    if (sums === 1) return false;
    facts.asksKept = true;
  },
);

/** "5k bonus on 60k, what tax on it", "how much do I keep" */
export const keptOfExtra: Rule[] = [
  rule("(?:how much|what) (?:is|will be|would be) left(?: over)?(?= ?(?:[?.!]|$))", (facts, _, reading) => {
    if (
      facts.extras.length !== 1 ||
      !/^(?:an? |my )?(?:bonus|overtime|commission).* on top of /.test(reading.text)
    )
      return false;
    facts.asksKept = true;
  }),
  rule(
    "(?:how much|what) (?:will|would|is|does)(?: ·)+ (?:actually )?(?:be )?(?:worth|come to)(?: (?:to )?me)?|(?:how much|what) (?:(?:of|from) (?:it|that|this|·) )?(?:do|will|would|can|am|is) (?:i|it)(?: (?:get to|actually|going to))? (?:keep|see|lose|get|worth|losing)(?: (?:of|from) (?:it|that|this)|(?= (?:after tax|net|from it)?(?: ?(?:[?.!,]|$)))|(?= ?(?:[?.!,]|$)))",
    (facts, { after }, reading) => {
      const [extra, other] = facts.extras;
      if (!extra || other) return false;
      // "50k plus 5k bonus, how much do I get after tax": all of it.
      const isWhole = /get after tax|get net/.test(reading.text) && (extra.of !== undefined || after);
      if (isWhole) return false;
      facts.asksKept = true;
    },
  ),
  rule(
    "(?:how much|what)(?: (?:is|·))* (?:tax|ni)(?: (?:will|would|do|i|pay|be|due|have|to))* (?:if|when)(?!\\S)",
    (facts, { text }, reading) => {
      if (
        facts.extras.length !== 1 ||
        !/\b(?:gave|gives?|get|got|getting|paid)(?: \w+){0,3} +\w* ?(?:bonus|overtime|commission)\b|\bbonus\b/.test(
          reading.text,
        )
      )
        return false;
      facts.asksKept = true;
      facts.figures.push(/ ni /.test(text) ? "national-insurance" : "income-tax");
    },
  ),
  // "got a 500 bonus, on 23k, how much after tax"
  rule("(?:how much|what)(?: (?:is|will|would|that|it|be|left))* after tax(?= ?(?:[?.!]|$))", (facts) => {
    const isOfBonus =
      /^(?:i )?(?:(?:have|just) )*(?:got|get|getting|received|given|been given)(?: \S+){0,4} bonus\b/;
    if (facts.extras.length !== 1 || !isOfBonus.test(facts.text)) return false;
    facts.asksKept = true;
  }),
  rule("(?:would|will|does)?(?: ·)* ?adds?(?= ?(?:[?.!]|$))", (facts) => {
    if (facts.extras.length !== 1) return false;
    facts.asksKept = true;
  }),
  rule("what is(?: (?:·|the))* damage", (facts) => {
    if (facts.extras.length !== 1) return false;
    facts.asksKept = true;
  }),
  rule(
    "(?:(?:how much|what|do|does|will|would|is|have|to|i|pay|repay|get) )*(?:tax|taxed|ni|student loan)(?: (?:is|will|would|do|i|pay|be|due))* on (?:it|that|bonus|overtime)(?! (?:of )?S)",
    (facts, { text }) => {
      if (facts.extras.length !== 1) return false;
      facts.asksKept = true;
      const isLoan = /loan/.test(text);
      facts.figures.push(isLoan ? "student-loan" : / ni /.test(text) ? "national-insurance" : "income-tax");
    },
  ),
];

/** "did £200 overtime this month": an extra counts once. */
export const thisMonth = rule("(?:in )?(?:this|next|last) month", (facts) => {
  const [extra] = facts.extras;
  if (!extra) return false;
  facts.remarks.push(
    `I counted the ${extra.name} once in the year: the month in which it is paid is higher than the average.`,
  );
});

const rateTimes: Record<string, number> = { half: 1.5, quarter: 1.25, third: 4 / 3, double: 2, triple: 3 };

/** Words that multiply a salary. */
const multiples: Record<string, number> = {
  double: 2,
  doubled: 2,
  doubles: 2,
  twice: 2,
  triple: 3,
  tripled: 3,
  trebled: 3,
  halved: 0.5,
};
const pay = "(?:salary|salaries|pay|wages?|income|earnings)";
/** A multiple of a salary next to these words is a size, not pay. */
const notPay =
  "mortgage|borrow|lend|loan|house|afford|cover|insurance|death|assurance|deposit|pension pot|redundancy|payout|lump";

/** "2x my salary of 30k" is a salary of 60k. */
function multiply(facts: Facts, { amounts, text }: Match, reading: Reading): boolean {
  const salary = amounts.at(-1);
  const times = amounts.length > 1 ? (amounts[0]?.value ?? 0) : (multiples[text.split(" ")[0] ?? ""] ?? 0);
  if (salary === undefined || !(times > 0 && times <= 100)) return false;
  const [first] = amounts;
  if (first && first !== salary) reading.takeAmount(first);
  facts.remarks.push(`I assumed a salary of ${times} times £${salary.value.toLocaleString("en-GB")}.`);
  salary.value = Number((salary.value * times).toFixed(2));
  facts.speaksOfPay = true;
  return true;
}

/** "what if my salary doubled", "2x my salary": a multiple of the earlier salary. */
function multiplyEarlier(facts: Facts, { amounts: [amount], text }: Match, reading: Reading): boolean {
  const word = text.split(" ").find((one) => one in multiples) ?? "";
  const times = amount?.value ?? multiples[word] ?? 0;
  if (!(times > 0 && times <= 100) || times === 1 || facts.rise || reading.money.length > 1) return false;
  facts.rise = { part: { share: Math.abs(times - 1) }, sign: times > 1 ? 1 : -1 };
  return true;
}

const ofPayOnly = `(?<!(?:${notPay}).*)`;
const withoutMore = `(?!.*(?:${notPay}))`;
export const multipleRules: Rule[] = [
  // "a mortgage of 4 times my salary"
  says(
    `N (?:x|times)(?=.*(?:${notPay}))|(?<=(?:${notPay}).*)N (?:x|times)`,
    ({ amounts: [times] }) =>
      `I left “${times?.value} times” out: I don't work out loans, insurance or payouts.`,
  ),
  rule("death in service(?: benefit)?|life (?:cover|insurance|assurance)"),
  // "time and a half on £14 an hour"
  rule(
    "(?:time and (?:half|quarter|third)|(?:double|triple) time) (?:on|of|at) M",
    (facts, match, reading) => {
      const { amounts, text } = match;
      const [rate] = amounts;
      if (rate?.period !== "hour" || reading.money.length > 1) return false;
      const times = rateTimes[text.split(" ").find((word) => word in rateTimes) ?? ""] ?? 1;
      facts.remarks.push(`I assumed ${Number(times.toFixed(2))} times ${pounds(rate.value)} for all hours.`);
      rate.value = Number((rate.value * times).toFixed(4));
    },
    "absorb",
  ),
  rule(
    `${ofPayOnly}(?:N (?:x|times)|double|twice|triple)(?: (?:of|${pay}|is|=|:))* M${withoutMore}`,
    multiply,
    "absorb",
  ),
  rule(
    `${ofPayOnly}(?:N (?:x|times)|double|twice|triple) (?:(?:that |this )?${pay}|it|that)${withoutMore}`,
    multiplyEarlier,
  ),
  rule(
    `${ofPayOnly}(?<=(?:M|${pay}|it|that)(?: (?:${pay}|is|was|were|gets?|got|had|has|been|being|doubling))* )(?:doubled|doubles|tripled|trebled|halved)${withoutMore}`,
    multiplyEarlier,
  ),
];

const moreOf = "(?:M (?:more|extra)|(?:an )?(?:extra|another|further|additional) M(?: (?:more|extra))?)";
const inHand =
  "(?:in (?:hand|pocket|bank(?: account)?)|into (?:pocket|bank(?: account)?)|after tax|net|take home|clear)";
const needs =
  "(?:(?:how much|what|which|·|more|a|extra|gross|pay|salary|rise|raise|payrise|increase|do|would|will|i|we|have|to|of) )*(?:need|needed|want|earn)(?: (?:to|earn|be on|ask for|get|make|more))*";
/** "what rise do I need to get £200 more a month", "I want an extra £300 in my pocket": a rise in take-home, not in pay. */
export const netRise = rule(
  `(?:(?<=(?:need|raise|rise|increase|payrise|salary)(?!\\S).* )|(?:${needs}) )(?:(?:so|to|that|i|we|can|could|would) )*(?:get|take home|see|have|bring home) ${moreOf}(?: ${inHand})?|(?:(?:want|need|get|have|see|take home|bring home|like)(?: to)? )*${moreOf} ${inHand}`,
  (facts, { amounts: [amount] }) => {
    if (amount === undefined || facts.netRise !== undefined) return false;
    // "an extra £300 in my pocket each month"
    if (amount.period === undefined && facts.shownBy !== undefined) {
      amount.period = facts.shownBy;
      facts.shownBy = undefined;
    }
    facts.netRise = amount;
  },
);

export const riseRules: Rule[] = [
  sets(`(?<=M to M )(?:${up}|${down})`, { comparison: true }),
  rule(`M ${up} (?:M|P)`, setSmallerRise(1), "absorb"),
  rule(`M ${down} (?:M|P)`, setSmallerRise(-1), "absorb"),
  // "up by £2,000 to £39,500": the second is the new salary.
  rule(
    `(?:rises?|raised|increase[sd]?|goes up|go up|went up|going up|up|${up})(?: (?:of|by|is|was))? S(?: (?:,|and|so|which|that|it|now|will|would|goes|go|comes|rises|takes?|taking|brings?|bringing|puts?|putting|makes|me|us|salary|pay|up|i|am|on))* (?:to|(?<=takes? .*|am )on) M`,
    (facts, { amounts: [rise, salary] }, reading) => {
      if (rise === undefined || salary === undefined || facts.rise !== undefined || !isSmaller(rise, salary))
        return false;
      const before =
        rise.kind === "percent" ? salary.value / (1 + rise.value / 100) : salary.value - yearlyOf(rise);
      facts.rise = { part: { pounds: Number((salary.value - before).toFixed(2)) }, sign: 1 };
      facts.sources.push(rise.value, salary.value);
      salary.value = Number(before.toFixed(2));
      reading.takeAmount(rise);
    },
    "absorb",
  ),
  rule(
    `S (?:of (?:a )?)?${up}(?: offer)?|${up} (?:of|by|is|was|worth|=|:) S(?! (?:to|·) M)|(?:rises?|raised|increase[sd]?|goes up|go up|went up|going up|up|uplifted|bumped) by S|(?:goes up|go up|went up|going up) P`,
    setRise(1),
  ),
  rule(
    `S (?:of (?:a )?)?${down}|${down} (?:of|by|is|was|=|:) S|(?:goes down|go down|went down|falls?|drops?|reduced?|reduces|cut|decrease[sd]?|down) by S`,
    setRise(-1),
  ),
  rule(
    "(?:another|extra|additional|further|add|adding) S(?: more)?|(?<!(?:took|takes?|taken|deducted|charged) )S (?:more|extra|higher|on top(?! of))",
    setRise(1),
  ),
  rule("(?:(?:got )?told (?:that )?i am )?(?:getting|get|got) P(?= on M)(?! on M bonus)", setRise(1)),
  rule("(?:goes|go|going|went) up S(?= from M)", setRise(1)),
  rule("(?:giving|given|gave|give|offered|offering)(?: (?:me|us|·))* P(?= ?[?.!]?$)", setRise(1)),
  rule("S (?:less|lower|fewer)(?= (?:than|a|per|[,.?!;])|$)", setRise(-1)),
  sets(
    `(?:${up}|rises|raised|increases|increased|go|goes|going|went|bumped|moves?|moving|promoted|jumps?|drops?|falls?|cut|step|stepping)(?: (?:up|down|me))* to(?= M)`,
    { comparison: true },
  ),
  sets(
    `(?:${up}|rises|going|goes|go|moving|move|moved|jump|promotion|promoted)? ?from(?= M to M)|up from(?= M)`,
    {
      comparison: true,
    },
  ),
  sets(`(?<=${up}(?: (?::|of|is|from))* M )to(?= M)`, { comparison: true }),
];

const person =
  "(?:partner|wife|husband|spouse|girlfriend|boyfriend|fiancee?|other half|missus|hubby|better half|gf|bf|she|he|they|her|his)";
const earns =
  "(?: (?:·|also|who|that|earns?|earning|makes?|making|is|are|on|gets?|brings in|paid|has|salary|income|wages?|of|at|with|takes|moves?|goes|goes down|drops?|dropped|to|down|up|part time|full time|got|had|was|would be|will be|:|=|,))*";

/** "a staff of 4 on 26k each" */
const staff = rule(
  "(?:staff|team|workforce) of N|N (?:employees|staff|workers|people)(?! (?:earning|and))",
  (facts, { amounts: [count] }) => {
    facts.remarks.push(
      `I work out one employee: for ${count?.value} people, take the figures ${count?.value} times.`,
    );
    facts.isStaff = true;
  },
);

export const partnerRules: Rule[] = [
  rule(
    "N (?:people|adults)(?=(?: (?:both|each|earning|on|earn|who|making))+ M)",
    (facts, { amounts: [count] }) => {
      if (count?.value !== 2) return false;
      facts.isCouple = true;
      facts.isEach = true;
    },
  ),
  staff,
  rule(`(?<!(?:me|i|myself) and (?:my )?)${person}${earns} M`, (facts, { amounts: [amount] }) => {
    if (amount) facts.partners.push(amount);
  }),
  rule(
    `M (?:(?:for|from|by|is|-|,) )?(?:my )?(?:partner|wife|husband|spouse|girlfriend|boyfriend|her|him)`,
    (facts, { amounts: [amount] }, reading) => {
      if (reading.money.length < 2 || amount === undefined) return false;
      facts.partners.push(amount);
    },
  ),
  rule("(?:both|each)(?: of us)?(?: (?:earn|make|get|are on|on))?(?= M)|(?<=M )(?:each|apiece)", (facts) => {
    if (facts.isStaff) return;
    facts.isEach = true;
    facts.isCouple = true;
  }),
  rule("(?:one|other)(?: (?:of us|one|earns?|is|on|gets?|makes?))*(?= M)", (_, __, reading) =>
    /\b(?:couple|household|married|joint|combined|together|of us)\b/.test(reading.text),
  ),
  rule("(?:both|each)(?: of us)?(?: (?:are|on|earn|get|make))*", (facts) => {
    if (!facts.minimumWage) return false;
    facts.isEach = true;
    facts.isCouple = true;
  }),
  rule(
    `(?:combined|joint|jointly|household|between us|as (?:a )?couple|couple|together|family)(?: (?:income|salary|take home|take home pay|salaries|total))?|us both|both of us|we(?= (?:earn|make|take|bring|get|are|have|keep|pay(?! M)|both))|(?:husband and wife)|${person}`,
    (facts, { text }) => {
      if (/^(?:she|he|they|her|his)$/.test(text)) return;
      facts.isCouple = true;
    },
  ),
];

const days = "mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?";
const other = `(?:(?:second|2nd|other|another|side|weekend|weeknight|evening|night|additional|extra|part time|${days}|bar|pub|shop|retail|delivery|cleaning|tutoring|babysitting|christmas|summer|seasonal) )+`;
const job = "(?:job|gig|role|employment|employer|position)";

const pays =
  "(?: (?:that|which|paying|pays|pay|at|of|for|earning|earns|is|on|worth|with|makes|making|brings in|would pay|will pay|:|salary|where i earn))*";
const taxOnIt = new RegExp(
  `\\b(?:tax|ni|keep|left)\\b(?: (?:is|will|would|do|does|i|pay|comes?|taken|get|taxed|be))* (?:on|off|from|of|for)(?: (?:the|my|a|an))*(?: \\S*)? ${other}${job}\\b`,
);

const besidePay =
  /^(?:in|at|from|for|with|on|of|as|doing|my|the|a|an|about|pays|paying|is|gives|me|job|work|working)$/;

/** "6k in a pub": the amount with only small words between it and the name of the job. */
function payBeside(where: string, { tokens }: Reading): Amount | undefined {
  const named = tokens.findIndex(({ word }) => word === where);
  const near = [-1, 1].flatMap((step) => {
    let at = named + step;
    while (besidePay.test(tokens[at]?.word ?? "") && !tokens[at]?.amount) at += step;
    return tokens[at]?.amount ?? [];
  });
  return near.length === 1 ? near[0] : undefined;
}

/** "tax on the pub job", "what comes off the pub one" */
const askedJob = rule(
  "(?<kind>tax(?:ed)?|ni|national insurance|much|what)(?: (?:tax|is|will|would|do|does|i|pay|comes?|goes|taken|keep|get|be|have|to|left|·))* (?:on|off|from|of|for|out of) (?:· )*(?<where>[a-z]{3,}) (?:job|one)",
  (facts, { groups: { where = "", kind = "" }, text }, reading) => {
    const hasTwo = facts.hasTwoJobs || /\b(?:jobs|second job|other job)\b/.test(reading.text);
    const pay = payBeside(where, reading);
    if (facts.jobAsked !== undefined || reading.money.length !== 2 || !(hasTwo || pay)) return false;
    facts.jobAsked = pay ?? "unclear";
    facts.hasTwoJobs = true;
    const isInsurance = /^ni|national/.test(kind);
    facts.figures.push(isInsurance ? "national-insurance" : /tax/.test(text) ? "income-tax" : "take-home");
  },
);

export const jobRules: Rule[] = [
  askedJob,
  // "how much of the 5k job do I keep"
  rule(
    "(?:how much|what) (?:of|from) M job (?:do|will|would|can) i (?:keep|see|get|take home)",
    (facts, { amounts: [amount] }, reading) => {
      if (amount === undefined || reading.money.length !== 2) return false;
      facts.jobAsked ??= amount;
      facts.hasTwoJobs = true;
    },
    "absorb",
  ),
  // "one job of 30k or two jobs of 15k"
  sets("or(?= (?:N|both|two) jobs(?!\\S))", { jobAsked: "unclear" }),
  rule("(?:main|primary|day) job", (facts, _, reading) => {
    facts.speaksOfPay = true;
    facts.hasTwoJobs ||=
      reading.money.length > 1 && !/\b(?:vs|versus|or|compare|offer|offered|new)\b/.test(reading.text);
  }),
  sets(
    "(?:N|both|multiple|several|two)(?: (?:part time|different|separate|paye))* (?:jobs|employers|employments)",
    { hasTwoJobs: true },
  ),
  // "offered two jobs"
  rule(
    "(?:offered|offers?(?: (?:from|for|of))?|choos(?:e|ing) between|choice (?:of|between)|deciding between)(?: (?:between|N|two|different))* (?:jobs|roles|positions|offers|companies|employers)",
    (facts) => {
      facts.isOffer = true;
      facts.speaksOfPay = true;
    },
  ),
  rule(
    "(?:one(?: of them)? (?:pays|is|at|of|for)|(?:and )?other(?: one)?(?: (?:pays|is|at|of|for))?)(?= M)",
    (facts, { text }) => {
      if (facts.isOffer) return true;
      if (!facts.hasTwoJobs) return false;
      if (!text.startsWith("one")) facts.isFurther = true;
    },
  ),
  // The amount after the job or before it: "a second job that pays 6k", "6k from a bar job"
  rule(
    `(?:${other}${job}|(?:weekend|evening|bar|saturday|sunday|seasonal|christmas) work|(?<=${other}${job} .*)it)${pays} M|(?<before>M)(?: (?:from|in|at|for|on|with|of|a|my|as))* ${other}${job}(?!${pays} M)`,
    (facts, { amounts: [amount], groups, sentence, text }, reading) => {
      if (amount === undefined || (groups.before !== undefined && reading.money.length < 2)) return false;
      // "a part time job at 15k", without another one
      const isNamedOther = /\b(?:second|2nd|other|another|side|additional|extra|it)\b/.test(text);
      if (!isNamedOther && !facts.isAddition && !facts.hasTwoJobs && reading.money.length < 2) return false;
      facts.secondJobs.push(amount);
      // "tax on 15k second job when my main job is 40k"
      if (taxOnIt.test(sentence)) facts.jobAsked ??= amount;
    },
  ),
  // "tax on the second one"
  rule(
    "(?<kind>tax|ni|keep)(?: (?:will|would|do|does|is|i|pay|be|comes?|taken))* (?:on|off|from|of)(?: ·)* (?:second|2nd|other|extra)(?: (?:one|job))",
    (facts, { groups: { kind } }) => {
      const [job, another] = facts.secondJobs;
      if (!job || another || facts.jobAsked !== undefined) return false;
      facts.jobAsked = job;
      facts.figures.push(kind === "ni" ? "national-insurance" : kind === "tax" ? "income-tax" : "take-home");
    },
  ),
  rule("side (?:hustle|income|business|gig)(?: (?:of|making|makes|earning|is|worth) M)?", (facts) => {
    facts.subjects.push({
      name: "income from a trade of your own",
      scope: "income",
      sentence: "I can't work out tax on income from self-employment: I left it out.",
    });
  }),
];

export const outgoingNames =
  "rent|accommodation|mortgage|council tax|bills|sav(?:e|ing)|childcare(?! vouchers)|nursery(?: fees)?|food|groceries|car payments?|car finance|car loan|travel|commute|commuting|train fares?|train|season ticket(?: loan)?|gym|phone bill|insurance|car insurance|utilities|outgoings|expenses|energy|subscriptions|petrol|parking|credit cards?|personal loan|living costs?|fuel|(?<!(?:company|electric) )car(?! (?:allowance|cash|scheme))|debts?|deposit|house|flat|wedding|holiday(?! pay)";
/** Words for parts, as in "rent is two thirds of …", which is not a sum of money. */
const partsOf = "halves|thirds|quarters|fifths|sixths|eighths|tenths";
/** A sum without a period that is too large for a monthly payment, such as the size of a mortgage. */
const smallestDebt = 10_000;
/** A sum without a period that may be for a month or a year. */
const smallestUnclear = 4_000;

const deduction =
  "(?:(?:income )?tax|student loan(?: (?:repayments?|deductions?))?|paye|ni|nics?|national insurance|nett?(?: pay)?|take home(?: pay)?)";
/** A whole number below this next to "tax" may count anything. */
const smallestDeduction = 30;
/** A question about deductions that were taken. */
const checks =
  /\b(?:pay ?slips?|wage ?slips?|right|correct|wrong|took|taken|taking|deducted|charged|stopped|paid|paying)\b/;

const spending =
  "(?:get by|live|live on|cover|pay|survive|afford|manage)(?: (?:·|bills|rent|mortgage|outgoings|expenses|everything|costs|and))*";

function setOutgoing(facts: Facts, { amounts: [amount], groups }: Match, reading: Reading): boolean {
  const name = groups.name?.replace(/^sav(?:e|ing)$/, "savings");
  if (amount === undefined || name === undefined) return false;
  const isDebt = amount.period === undefined && amount.value >= smallestDebt;
  if (isDebt && reading.money.length < 2) return false;
  if (!isDebt && amount.period === undefined && amount.value >= smallestUnclear)
    facts.remarks.push(
      `I left the ${name} of £${amount.value.toLocaleString("en-GB")} out: say whether it is for a month or a year.`,
    );
  else if (!isDebt) facts.outgoings.push({ name, amount });
  else
    facts.remarks.push(
      `I left the ${name} of £${amount.value.toLocaleString("en-GB")} out: it does not change your tax.`,
    );
  return true;
}

export const outgoingRules: Rule[] = [
  // "is 2,412 a month right for 35,300"
  rule("is M (?:right|correct|ok|normal) (?:for|on|with)(?= M)", (facts, { amounts: [claim] }) => {
    if (claim === undefined) return false;
    facts.claims.push(`${pounds(claim.value)} of take-home`);
    facts.figures.push("take-home");
    facts.shownBy ??= claim.period;
  }),
  says(
    "(?:A(?: (?:of|in|for|a|month|·))* )?expenses(?: (?:are|is|get|being|which|that))* (?:paid|reimbursed|covered|repaid|refunded)(?: back)?(?: (?:by|from) (?:work|employers?|company|boss))?",
    ({ amounts: [sum] }) =>
      `I left the expenses${sum ? ` of ${pounds(sum.value)}` : ""} that your employer pays back out: they are not pay.`,
  ),
  says(
    "(?:can|could|would|will) (?:i|we|they) (?:get|afford|have|borrow|be (?:given|offered))(?= (?:·|a )*mortgage)",
    () => "I can't tell whether a lender gives you a mortgage: it decides by its own rules.",
  ),
  // "paid £3,200 tax on 24k", "payslip: gross 3,000, tax 390, ni 156": deductions to compare with.
  rule(
    `(?:(?:paid|paying|deducted|taken|charged|took|takes|stopped)(?: (?:·|me|to date|so far|off|out))* )?(?:A(?: (?:in|of|for|worth of))* (?<name>${deduction})(?!(?: (?:was|is|of|:|=|at|-))* M)|(?<named>${deduction})(?: (?:paid|deducted|taken|to date|so far|was|is|of|:|=|at|-|comes to))* A)`,
    (facts, { amounts: [paid], groups: { name, named = name ?? "" } }, reading) => {
      if (paid === undefined || !checks.test(reading.text)) return false;
      const others = reading.money.filter((amount) => amount !== paid);
      const isCount =
        paid.kind === "number" && paid.value < smallestDeduction && Number.isInteger(paid.value);
      if (others.length === 0 || isCount) return false;
      facts.claims.push(`${pounds(paid.value)} of ${named}`);
      facts.shownBy ??= paid.period;
      facts.figures.push(
        /^n(?:et|i|at)/.test(named)
          ? /^net/.test(named)
            ? "take-home"
            : "national-insurance"
          : /loan/.test(named)
            ? "student-loan"
            : /take/.test(named)
              ? "take-home"
              : "income-tax",
      );
    },
  ),
  rule(
    "(?:(?:on|in|by|according to) )?(?:·)? ?(?:pay ?slips?|wage ?slips?|pay stub)(?: (?:says?|said|shows?|showed|showing|has|is|reads?|:))*|(?:this|last) (?:month|week)",
    ({ claims }) => claims.length > 0,
  ),
  says(
    `(?:need|require) M(?: (?:·|between us|altogether|in total))* to ${spending}`,
    ({ amounts: [amount] }, reading) =>
      reading.money.length < 2 || amount === undefined
        ? undefined
        : `I left the ${pounds(amount.value)} that you need out: compare it with the take-home.`,
  ),
  // "I need 1,900 a month to cover my bills": a take-home.
  sets(`(?:need|require)(?= M(?: ·)* to ${spending}(?!\\S))`, { wantsSalaryForNet: true }),
  rule(spending, ({ wantsSalaryForNet }) => wantsSalaryForNet),
  // "if I spend 600 a month"
  rule(
    "(?:spend|spends|spending|spent)(?: (?:·|about|on))* A(?! (?:on|for)(?!\\S))",
    (facts, { amounts: [amount] }, reading) => {
      if (amount?.period === undefined || reading.money.length < 2) return false;
      facts.outgoings.push({ name: "spending", amount });
    },
  ),
  rule(
    `(?:(?:they |boss |employer )?(?:deducts?|deducting|deducted) (?:for )?)?(?<name>${outgoingNames})(?: (?:payments?|costs?|deductions?|me|which))*${is} A(?! (?:times|x|${partsOf}))`,
    setOutgoing,
  ),
  rule(
    `(?:(?:minus|less|spend|spending|after) )?A${as} (?:(?:my|the) )?(?<name>${outgoingNames})(?: (?:payments?|costs?|deductions?|deducted))*`,
    setOutgoing,
  ),
  // "my dog costs 100 a month"
  says("(?<noun>[a-z]{3,}) costs?(?: (?:me|us))? M", ({ groups, amounts: [amount] }, reading) =>
    reading.money.length < 2 || amount === undefined
      ? undefined
      : `I left the ${pounds(amount.value)} for “${groups.noun}” out.`,
  ),
  rule(`(?:after|minus|less) (?:${outgoingNames})`, ({ outgoings }) => outgoings.length > 0),
  rule(
    "(?:left to )?(?:save|saving|put (?:away|aside))",
    ({ outgoings, shares }) => outgoings.length + shares.length > 0,
  ),
];
