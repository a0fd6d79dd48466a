/** Rules for the purpose of a question: a figure, a comparison, a chart, a definition or small talk. */
import type { Facts, Figure, SmallTalk } from "../facts.ts";
import { minusTax, termPatterns } from "../glossary.ts";
import { addSubject, neutralRules, subjectRules } from "../subjects.ts";
import { list, pounds } from "../wording.ts";
import { type Rule, rule, says, sets, yearlyOf } from "./rule.ts";

/** The rates of the bands. Other percentages do not name a band. */
const bandRates = new Set([19, 20, 21, 40, 42, 45, 48]);

const asks = (figure: Figure, source: string) =>
  rule(source, (facts, { amounts }) => {
    if (figure === "tax-band" && amounts.some(({ value }) => !bandRates.has(value))) return false;
    if (!facts.figures.includes(figure)) facts.figures.push(figure);
  });

const insurance = "(?:ni|nics?|national insurance|nat ins)";
const band = "(?:basic|higher|additional|top|intermediate|advanced|starter) rate";

export const allowanceRule = asks(
  "personal-allowance",
  "(?:personal|tax free)(?: (?:allowances?|amount|income))+|(?<=(?:is|are|much|first|get|earn) .*)tax free|(?<=(?:lose|losing|lost|keep)(?: (?:·|some|all|any|of))* )allowance",
);

export const figureRules: Rule[] = [
  asks("take-home", "(?<=(?:what|how much)(?: [^ ,.?!]+){1,6} )after(?= ?[?.!]?$)"),
  asks("deductions", "(?:goes|go|going|paid|lost)(?: (?:to|in))* (?:government|state|treasury|chancellor)"),
  rule("deductions", (facts) => {
    facts.figures.push("take-home", "deductions");
  }),
  asks("taxable-income", "taxable (?:income|pay|earnings|salary|amount)"),
  asks("tax-band", "(?:at |in |by |for |per )?(?:each|every) (?:tax )?(?:band|rate|bracket)"),
  asks(
    "marginal-rate",
    "(?:tax )?(?:rate|percentage|percent|proportion)(?: (?:of|tax|do|does|am|will|is|are|i|we|lose|lost|taxed|pay|paid|it|goes))* (?:on|of)(?: (?:·|any|extra))* (?:bonus(?:es)?|overtime|extra (?:pay|income))|(?:bonus|overtime) tax rate",
  ),
  asks(
    "marginal-rate",
    "marginal(?: (?:tax|rates?|of))*|(?:next|last|each extra|every extra|one extra|additional)(?: £)? ?(?:pound|quid|A)(?: (?:earned|of income|i earn))?",
  ),
  asks(
    "effective-rate",
    "(?:effective|average|overall|total|actual)(?: (?:tax|rates?|of|deduction))+|(?:percentage|percent|proportion|(?<!(?:i|we|they|to|who) )share|%)(?: (?:of|salary|pay|income|goes|lost|taken|tax(?:es)?|in|to|is|deductions|my|on))*",
  ),
  asks(
    "student-loan",
    "(?:goes|go|going|comes? off|taken)(?: (?:for|to|on|towards|into|·))* (?:student )?loans?(?: (?:repayments?|debts?))?",
  ),
  asks("national-insurance", `employees?(?= (?:and|&|\\+|,) (?:employers?|·))|employees? ${insurance}`),
  asks(
    "employer",
    `(?:true|total|full|real) costs?(?: of)?(?= M)|employers? (?:true|total|full|real) costs?|costs?(?: of)?(?= M employee)|(?:employees?|workers?) costs?(?: with on costs)?|er ?nics?|(?:costs?|cost) (?:(?:me|us) )?(?:to |of |for )?(?:employ|employing|employer|hire|hiring|company|boss|employment)(?: (?:me|someone|somebody|person|employee|worker|them|him|staff))?|(?:employers?|boss|company|companies|employment)(?: (?:have to|need to|must))? (?:${insurance}|costs?|pays? P ${insurance}|pays?|paying|contributions?)(?: (?:on me|to employ me))?(?: ${insurance})?(?: contributions?)?|employers?(?! (?:offer|give|match|add|put|say|said|want|let|will|would|has|is|·))|to employ(?: (?:me|someone|them))?|(?:employers?|boss|company|companies)(?: (?:will|would|does|do))* sav(?:e|es|ing)`,
  ),
  asks(
    "student-loan",
    "(?:how much |what )(?:(?:is|of|are) )?student loan(?: (?:repayments?|deductions?|payments?))?|student loan (?:repayments?|deductions?|payments?)|(?:pay|paying) (?:(?:more|less|extra|any|off|back) )*(?:student )?loan|(?:loan )?repayments?|(?:student )?loans?(?= (?:on|at|for|if i earn) M)",
  ),
  rule(
    "(?:do|does|will|would)(?: (?:i|we|you|he|she|have|need|to|start|begin|·))* (?:pay|paying|repay|repaying)(?: (?:it|anything|back|any|on))*(?= (?:on|at|for|if|earning)(?!\\S)| M)",
    (facts, _, reading) => {
      if (!facts.plans?.length || /\btax\b|\bni\b/.test(reading.text)) return false;
      facts.figures.push("student-loan");
    },
  ),
  // "how much is deducted for a postgraduate loan": the loan is "·" by now.
  rule(
    "(?:how much|what)(?: (?:is|are|gets?|will|would|be|does|do|the))* (?:deducted|taken|deductions?|come off|comes off)(?: (?:off|for|to|on|towards|by|as))*(?= ·)",
    (facts, _, reading) => {
      if (
        !facts.plans?.length ||
        !/(?:for|to|towards|by|on|as)(?: an?| my| the)? (?:postgrad|student|plan|loan)/.test(reading.text)
      )
        return false;
      facts.figures.push("student-loan");
    },
  ),
  rule("repay(?:ing)?|pay(?:ing)?(?: it)? back", (facts, _, reading) => {
    if (!/\b(?:loans?|plans?|student)\b/.test(reading.text)) return false;
    facts.figures.push("student-loan");
  }),
  asks(
    "tax-band",
    `${band}(?: (?:tax|tax ?payer|payer|band|bracket|threshold))*|(?:push(?:es|ed|ing)?|put|take|get|go|going|start)(?: (?:me|us|to|in|pay))* (?:into|over|in|pay|paying)(?: the)? P|(?:which|what) (?:tax )?(?:rate )?(?:band|bracket)|(?:band|bracket) (?:am i in|i am in)|P(?: tax)? on (?:everything|all(?: of it)?)|P (?:tax|rate|tax rate|tax ?payer|tax band|band|bracket|tax bracket)(?: (?:payer|taxpayer|band|bracket))?`,
  ),
  rule(
    `(?:(?<tax>(?:income )?tax)|(?<ni>${insurance})|(?<loan>loan|repayment|student loan))? ?(?:bands|brackets|rates|thresholds?)`,
    (facts, { groups }) => {
      facts.asksForRates = true;
      if (groups.ni) facts.figures.push("national-insurance");
      if (groups.loan || facts.plans || facts.loanWithoutPlan) facts.figures.push("student-loan");
    },
  ),
  asks("tax-band", "(?:(?:is |gets? |be |being )?taxed|is) at P"),
  asks("marginal-rate", "(?:in )?P(?: tax)? trap"),
  // "is it true that you get taxed 60% over 100 grand"
  rule(
    "(?:·|tax(?:ed)?|pay|is)? ?(?:at )?P(?: tax)? (?:over|above|after|from)(?= M)",
    (facts, { amounts: [rate], after }) => {
      if (!rate || !after || (rate.value !== 60 && rate.value !== 62)) return false;
      if (yearlyOf(after) < 100_000 || yearlyOf(after) > 125_140) return false;
      facts.figures.push("marginal-rate");
    },
  ),
  asks(
    "tax-band",
    "(?:when|at (?:what|which) (?:point|salary|income|pay|earnings|level))(?: (?:do|does|will|would|i|you|we|people|one|start|starts|begin|have|to))* (?:pay|paying|hit|reach|enter)(?: the)? P(?: (?:tax|rate|band|bracket))*",
  ),
  asks("tax-band", "(?:tax )?(?:band|bracket)(?! N)"),
  asks("effective-rate", "(?:tax )?rate(?! of pay)(?: of (?:income )?tax)?"),
  asks("national-insurance", `${insurance}(?: (?:contributions?|bill|deductions?|payments?))?`),
  rule(
    "(?<!how much )(?:pay(?:s|ing)? )?(?:less|more|lower|higher) (?:income )?tax(?! (?:code|rate|band|bracket))",
    (facts) => {
      facts.figures.push("income-tax");
      facts.asksLessTax = true;
    },
  ),
  asks(
    "take-home",
    `(?:after|once)(?: ·)* (?:taxman|hmrc)(?: (?:takes?|taken|has|had|gets?|got|·|cut|share|bite|slice))*|take home(?: (?:pay|salary|amount|wages?|money|income))?|taking home|takes? home|took home|(?:net|nett)(?: (?:pay|salary|income|wages?|amount|figure))?|(?:after|minus|less|post)(?: (?:all|income))? (?:tax(?:es)?|deductions|everything|stoppages)(?: (?:and|,) (?:${insurance}|deductions|national insurance))?|(?:in|into|in to|hits?|hitting|reach(?:es)?|lands? in) (?:my )?(?:hand|pocket|bank(?: account)?|account)|left(?: over)?|keep|bring(?:ing|s)? (?:home|in)|clear|pay ?packet|payslip|end(?:ing)? up with|walk away with|pocket|disposable(?: income)?|(?<=(?:(?:do|does|would|will|could|can|what|much|percentage|percent) (?:i|we|you|it|they)|·|to|much|would|will) )lose|breakdown|afford|deducted|leaves?(?: (?:me|you|us))?(?: with)?`,
  ),
  rule(
    "(?:comes?|coming|goes|taken|gets? taken) (?:off|out|of(?= ?[?.!]?$))(?: of)?(?: (?:wages?|pay|salary|pay ?packet))?(?: (?:·|each|every) ?(?:month|week|time)?)?(?: in total)?|total deductions|(?:total|all) (?:deducted|taken)",
    (facts, { text }, reading) => {
      const isLoan = facts.plans?.length && /loan[^,.]*(?:comes?|goes|taken)/.test(reading.text);
      facts.figures.push(isLoan && !/total/.test(text) ? "student-loan" : "deductions");
    },
  ),
  asks(
    "income-tax",
    "(?:income )?tax(?:es|ed)?(?: (?:bill|deducted|taken|owed|due|payable|liability))?|(?<=(?:much|what|is|the|my) (?:· )*)paye(?! (?:job|work|employee|salary))|paye (?:tax|bill|deducted|deductions?|liability)|(?:the )?(?:taxman|hmrc)(?: (?:take|takes|taken|taking|get|gets|got|want|wants|has|had|·|cut|share|bite|slice))*",
  ),
];

export const askRules: Rule[] = [
  rule(
    `(?:(?:income )?tax|${insurance}) (?:vs|versus|v|against|compared (?:to|with)) (?:(?:income )?tax|${insurance})`,
    (facts) => {
      facts.figures.push("income-tax", "national-insurance");
    },
  ),
  says(
    "(?:less|more) than (?:i|we|he|she) (?:was|were|had been|been) (?:told|promised|expecting)",
    () => "I can't tell why it was not what was promised.",
  ),
  sets(
    "(?:how much|when|what salary|what income|at (?:what|which) (?:point|salary|income|level|pay))(?: (?:can|may|do|does|will|could|i|we|you|earn|make|must|should|need|have|to|it|be))*(?: before)?(?=(?: ·)* (?:kicks?|starts?|begins?|comes?)(?: in)?(?!\\S))|(?<=· )(?:kicks?|starts?|begins?|comes?)(?: in| (?:to be )?(?:repaid|paid|taken|deducted))?",
    { asksForRates: true },
  ),
  sets(
    "(?:(?:most|max(?:imum)?)(?: (?:amount|salary|pay))? (?:i|you|we|someone) can|how much (?:can|may|could|do) (?:i|you|we|someone)) (?:earn|make|get)(?: (?:·|month|week|year))* (?:before|without)(?: (?:paying|you|i|have to|pay))*(?= (?:·|any|income|tax|ni|nics?|national insurance|student loan|loan)(?!\\S))",
    { asksForRates: true },
  ),
  sets(
    "how much (?:can|may|could|do|must|should|would) i (?:(?:have|need) to )?(?:earn|make|be on) (?:before|until|to)(?: i)?(?: (?:start|have to|begin))? (?:pay|paying|repay|repaying)",
    { asksForRates: true },
  ),
  sets(
    "compare[ds]?(?: (?:to|with|against))?|how much (?:more|less|extra) (?:is|would|will) (?:(?:that|it)(?: be)?|(?=M))|comparison|versus|vs|v|difference|differ(?:s|ent|ence)?|better off|worse off|better|worse|against|rather than|instead of(?= M)|more than|less than|best|any different",
    { comparison: true },
  ),
  rule("less", (facts) => facts.comparison),
  rule(
    "(?:is it |it )?worth (?:it )?(?:earning|going|getting|being|making)(?: paid)? (?:over|above|past|more than)(?= M)",
    (facts) => {
      facts.figures.push("marginal-rate");
      facts.remarks.push(
        "Only what is above a threshold is taxed at its rate (40% above £50,270), so you keep part of each rise. Child Benefit and help with childcare can end at certain incomes: I left them out.",
      );
    },
  ),
  sets("job b|(?:second|other) offer", { comparison: true }),
  sets("(?<=M )than(?= (?:on |at |with )?M)", { comparison: true }),
  sets("(?<=(?:M|·) (?:job |role )?(?:(?:·|with|at|and) )*)or(?: (?:take|for|go for|earn))?(?= M)", {
    comparison: true,
  }),
  rule(
    "(?:job )?offer(?:ed|s)?(?: (?:of|for|at|is|paying|me))*(?= M)|(?:new|different) (?:job|role|position)(?: (?:offer|paying|pays|at|for|of|that pays|on|with))*(?= M)",
    (facts) => {
      facts.isOffer = true;
      facts.speaksOfPay = true;
    },
  ),
  sets("(?:charts?|graphs?|plot|draw|(?<!on (?:the |· )?)table|visuali[sz]e|curve|diagram)", { chart: true }),
  sets("between(?= M (?:and|to|-) M)|range(?: (?:of|from|between))?", { range: true }),
  rule(
    "(?:steps?|increments?|intervals?|jumps?) of A|every A|step A|A steps?",
    (facts, { amounts: [step] }) => {
      facts.step = step?.value;
    },
  ),
];

const wants = "(?:want|need|would like|aim|aiming|hope|hoping|trying|target|goal|wish|require|required)";
const toKeep = "(?:take home|bring home|net|clear|walk away with|end up with|pocket|keep|get)";
const asNet =
  "(?:net|nett|take home|after tax|post tax|after deductions|in hand|clear|cleared|in my pocket|in my bank|left)";

/** Finds out whether the amount is the wanted take-home. Runs before the rules for figures. */
export const netRules: Rule[] = [
  sets(
    "(?:how much|what)(?: (?:is|do|would|i|need|needed|have))* (?:before (?:any )?tax|gross)(?: (?:do|would|i|need|needed|have|is|to|for|salary|pay))* (?:get|have|see|receive|take home|bring home|clear|net|pocket)(?= M)",
    { wantsSalaryForNet: true },
  ),
  sets(
    "(?:salary|gross|wages?)(?: (?:is|do|would|will|i|needed|need|required|necessary|have|to|for|that))+ (?:take home|bring home|net|clear|walk away with|end up with|pocket)(?= M)",
    { wantsSalaryForNet: true },
  ),
  rule(`${wants} to (?:know|see|find out|work out|calculate|understand|compare|check|ask)`),
  rule("before (?:any )?(?:tax|deductions)|pre tax(?! for M)", (facts) => {
    facts.speaksOfPay = true;
  }),
  sets(
    `${wants}(?=(?: [a-z]+){0,6} M(?: [a-z]+){0,2} ${asNet}(?!\\S)|(?: [a-z]+){0,5} (?:net|take home)(?: (?:pay|salary|income|of))* M|(?: [a-z]+){0,3} to ${toKeep} M)`,
    { wantsSalaryForNet: true },
  ),
  sets(
    `(?:what|which|how much)(?=(?: [a-z]+){0,3} (?:gross|salary|wage|earn|make|paid|earning|ask for)(?: [a-z]+){0,6} (?:${toKeep}|net|gives|leaves|leave|give)(?: (?:of|net|me))* M|(?: [a-z]+){0,3} (?:gross|salary|earn|make)(?: [a-z]+){0,6} M ${asNet}(?!\\S))`,
    { wantsSalaryForNet: true },
  ),
  sets(
    `(?<=(?:after (?:tax|deductions)|net|take home|in (?:hand|pocket|bank)) (?:(?:,|i|we|would|really) )*)${wants}(?: to (?:have|get|see|end up with))?(?= M)`,
    { wantsSalaryForNet: true },
  ),
  sets(
    `(?:gross|pre tax)(?=(?: (?:up|for|from|salary|needed|required|to|get|of|is|would|be))+ M ${asNet}(?!\\S))|(?:${toKeep}|receive)(?= M(?: a month)? ${asNet}(?!\\S))|(?:take home|net)(?: (?:pay|salary|income))? is(?= M)|salary (?:for|needed for|required for|to get)(?= M ${asNet}(?!\\S))`,
    { wantsSalaryForNet: true },
  ),
];

/** "I take home 3,000 a month", but not "what do I take home": the amount is the net pay. */
const saysNet = sets(
  "(?<!(?:do|would|will|should|could|can|did|may|might|much|what|if) )i(?: have)? (?:took|taken|brought) home(?= M)|(?<=\\bif )i (?:took|brought) home(?= M)|(?<!(?:do|would|will|should|could|can|did|may|might|much|what|if) )i(?: (?:now|currently|only|just))? (?:(?:am )?(?:take|bring|clear|pocket|taking|bringing|clearing|netting|pocketing)(?: home)?(?= M)|(?:get|receive|see|have)(?= M (?:· )*(?:in|into|in to|paid into|land in|landing in|going into|hitting) (?:bank|account|hand|pocket)(?!\\S)))",
  { wantsSalaryForNet: true },
);

const inBank =
  "(?:(?:paid|lands?|landing|goes|going|comes|coming|hits?|hitting|arrives?) )?(?:in|into|in to) (?:bank|account|hand|pocket)(?: account)?|hits? (?:bank|account)(?: account)?";

/** "I'm paid 2,050 a month after tax": not a question about 2,050, but a take-home. */
const saysAfterTax = sets(
  "(?<!(?:do|would|will|if|can|could|should|what|much) )i(?: now| currently)? (?:am )?(?:paid|get|receive|earn|make|getting|earning)(?= M (?:· )*(?:after (?:tax|deductions)|post tax|net|nett|in hand|clear)(?!\\S))",
  { wantsSalaryForNet: true },
);

/** "2,350 a month after tax, what's my gross?" */
const netThenGross = sets(
  `(?<=M (?:· )*)(?:${asNet}|${inBank})(?= .*(?:gross|before tax|before(?= ?[?.!]?$)|(?:what|which)(?: is)?(?: (?:my|the|annual|yearly|gross|·))* (?:salary|wages?|gross)|(?:what|how much)(?: (?:do|would|must|should|will))? i(?: (?:need|have))? to (?:earn|make|be on|get paid))(?!\\S))`,
  { wantsSalaryForNet: true },
);

/** "net 3,200 a month, what's the gross?" */
const netGiven = sets(
  "(?:take home|net|bring home|clear)(?: (?:of|is|pay|salary|income))*(?= M .*(?:gross|before tax|(?:what|which) (?:is )?(?:(?:annual|yearly|full|total) )*salary))",
  { wantsSalaryForNet: true },
);

/** These rules run before other rules for figures: they decide the meaning of an amount. */
export const netKnown: Rule[] = [
  sets("(?<=^(?!.*(?:how much|what)).*)if i (?:earn|make|get)(?= M (?:· )*after (?:tax|deductions)(?!\\S))", {
    maybeNet: true,
  }),
  netGiven,
  netThenGross,
  saysNet,
  saysAfterTax,
  sets("(?:pay|salary|wages?|gross) from(?= M (?:· )*(?:take home|net|after tax)(?!\\S))", {
    wantsSalaryForNet: true,
  }),
  sets("reverse(?: calculat(?:e|ion|or))?|(?:work(?:ing)? )?back ?wards(?: from)?", {
    wantsSalaryForNet: true,
  }),
];

export const payRules: Rule[] = [
  sets(
    "(?:(?:vicars?|clergy|priests?|ministers?|curates?|rectors?|church|pastors?) )?stipends?|(?:salary|salaries|wages?|earn(?:s|ed|er|ers|ing|ings)?|income|gross|main|first|paid|pay|pays|paying|payed|basic|base|package|jobs?|role|position|employed|employee|employers?|working|works|worked|permanent|perm|paye|salaried|commission only|zero hours|contract|remuneration|compensation|worth|offer(?:ed|s)?|current|new|old|yearly|annually|annual)",
    { speaksOfPay: true },
  ),
  sets("rates? of pay|N figures?(?= ?(?:·|income|wage))|what (?:would|will|about)(?= M be)", {
    speaksOfPay: true,
  }),
  rule("(?:up to )?(?:ote|on target earnings?)", (facts, _, reading) => {
    facts.speaksOfPay = true;
    const [one = 0, other = 0] = reading.money.map(yearlyOf);
    // Not "45k basic, £15k OTE": together they may be 60k.
    if (reading.money.length === 2 && Math.min(one, other) * 2 > Math.max(one, other))
      facts.comparison = true;
    facts.remarks.push("OTE is the pay if you reach your targets.");
  }),
  rule("part time", (facts) => {
    facts.speaksOfPay = true;
    facts.remarks.push("I assumed that this is your pay for your part-time hours.");
  }),
];

const talks: [SmallTalk, string][] = [
  [
    "who",
    "(?:who|what) are you|are you (?:(?:a|an|really|even|just) )*(?:ai|bot|robot|human|person|real|chatgpt|gpt|claude|llm|model|machine|program|chatbot|alive)|(?:what|which) model(?: are you)?|who (?:made|built|wrote) you|what is your name|your name",
  ],
  [
    "accuracy",
    "how (?:accurate|reliable|right|correct)(?: (?:is|are) (?:this|that|you|it|these|the figures))?|where (?:do|does|are|is) (?:(?:the|your|these|those|you|get) )*(?:figures?|numbers?|rates?|data|information)(?: (?:come )?from)?|what is (?:your |the )?source|sources|(?:can|should) i trust (?:you|this|that|it)|are you sure|how did you (?:get|work|calculate|know)(?: (?:that|this|it|out))*|show (?:me )?(?:your |the )?working|is (?:that|this|it) (?:right|correct|accurate)|do(?:es)? (?:that|this|it|these|those) (?:look|sound|seem) (?:about )?(?:right|ok|okay|correct|wrong)",
  ],
  [
    "capabilities",
    "help|what (?:can|do) you (?:do|know|answer)|how (?:does|do) (?:this|you) work|what can (?:i ask(?: you)?|you calculate)|can you (?:do|calculate|work out) (?:pensions?|student loans?|bonus(?:es)?|tax|scotland)|can you help(?: me)?|what (?:is|does) (?:this|headgate)(?: do)?|headgate",
  ],
  ["wellbeing", "how is it going|how are you(?: (?:doing|today))*|how do you do"],
  [
    "thanks",
    "thanks?(?: you)?|thank you|thx|ta|cheers|much appreciated|brilliant|perfect|nice one|lovely|ty|great|awesome",
  ],
  ["goodbye", "bye|goodbye|good night|see you(?: later)?|cya"],
  [
    "greeting",
    "hi|hello|hey|hiya|yo|howdy|(?:good )?(?:morning|afternoon|evening)(?! (?:job|shift|work))|good day|greetings|hallo",
  ],
];
export const talkRules: Rule[] = [
  ...talks.map(([talk, source]) =>
    rule(source, (facts) => {
      facts.talk ??= talk;
    }),
  ),
  rule("push(?:es|ed|ing)?(?: (?:me|us))?(?: (?:into|over|up))*(?!(?: (?:me|us|into|over|up|the))* P)"),
  // A message to an AI model.
  says(
    "(?:ignore|disregard|forget)(?: (?:all|any|previous|your|the|prior|above|these|those))* (?:rules|instructions|prompts?)(?: and (?:say|tell|answer|reply|write|print)(?: [a-z]+){0,8})?",
    ({ text }) => `I left “${text}” out: I only work out pay.`,
  ),
  sets("piece (?:rates?|work)", { speaksOfPay: true }),
  // "Class 1" is what employees pay.
  rule("class N (?:ni|nics?|national insurance)(?: contributions?)?", (facts, { amounts: [number] }) => {
    if (number?.value !== 1) return false;
    facts.figures.push("national-insurance");
  }),
  rule("(?:am |is )?not (?:too |very )?sure(?: (?:what|if|how|whether|about))*"),
];

/**
 * Rules for subjects, first with an amount, then without. A single amount stays the salary, unless the subject's scope
 * says otherwise.
 */
export const subjectsRules: Rule[] = subjectRules.flatMap(({ pattern, subject }) => {
  const add = (facts: Facts, sums = ""): undefined => {
    addSubject(facts, subject, sums);
  };
  const more = "(?: (?:income|payments?|contributions?|payout|profits?|worker|work))*";
  return [
    rule(
      `A(?: (?:of|in|from|as|worth of|worth|into|to|a))* (?:${pattern})${more}|(?:${pattern})${more}(?: (?:of|is|are|was|at|by|worth|earning|earn|earned|making|make|on|for|:|=))* A(?: (?:kids|children))?`,
      (facts, { amounts, text }, reading) => {
        const isOnlySum =
          reading.money.length > 0 && reading.money.every((amount) => amounts.includes(amount));
        const isIncome = subject.scope === "income" && !/ (?:on|at|earn(?:ed|ing)?|mak(?:e|ing)) /.test(text);
        if (isOnlySum && subject.scope !== "all" && !isIncome) return false;
        const sums = amounts.filter(({ kind }) => kind !== "number" || subject.scope !== "all");
        if (sums.length > 0 && subject.name !== "pensions in payment") facts.subjectSums = true;
        add(facts, list(sums.map(({ value, kind }) => (kind === "number" ? String(value) : pounds(value)))));
      },
    ),
    rule(`(?:${pattern})${more}`, (facts) => add(facts)),
  ];
});

export const neutralCircumstances: Rule[] = neutralRules.map(([source = "", sentence = ""]) =>
  says(source, sentence),
);

export const termRules: Rule[] = [
  sets(
    "(?:when|what day|what date|which date|date)(?: (?:does|do|is|did|will|would|the|uk|end of|start of|new|current|next|this))* tax year(?: (?:ends?|starts?|begins?|finish(?:es)?|over|runs?|changes?|and|from|dates?))*|tax year (?:dates|end date|start date|ends?|starts?|begins?)|(?:which|what) tax year (?:is it|are we in|is this|do you use)",
    { asksForDates: true },
  ),
  // "tax is minus 80 on my payslip"
  rule(
    "tax(?: (?:is|was|shows|says|of|at))* S(?: (?:on|in|this|that|my|the|payslip|month|week))*",
    (facts, { amounts: [amount] }) => {
      if (amount?.negative !== true) return false;
      facts.term ??= minusTax;
    },
  ),
  ...termPatterns.map(({ asked, term, isAlone }) =>
    rule(asked, (facts, { amounts }, reading) => {
      // With an amount the question is for a figure: "what is the minimum wage for 30 hours".
      const hasMore = reading.tokens.some(
        ({ amount, taken }) => amount && !taken && !amounts.includes(amount),
      );
      if (hasMore && isAlone) return false;
      if (hasMore) facts.remarks.push(term.meaning);
      else facts.term ??= term;
    }),
  ),
  rule(
    "(?:when|at what age|what age|how old)(?: (?:do|can|will|i|must|have|to|be|get|claim|draw|receive|is|the|my|for))* (?:(?:state )?pension(?: age)?|retire)|state pension age|(?:when|at what age)(?: (?:do|can|will|i|we|you|people))* stop(?: paying)? (?:ni|nics?|national insurance)",
    (facts, _, reading) => {
      if (reading.money.length > 0) return false;
      facts.asksForPensionAge = true;
    },
  ),
];

export const minimumWageRules: Rule[] = [
  rule(
    "(?:above|below|under|over|less than|more than)(?= (?:the )?(?:national )?(?:minimum|min|living) wage)",
  ),
  rule("(?:(?:is (?:it|that|this) )?(?:even )?)(?:legal(?:ly)?|illegal|lawful)", (facts, _, reading) => {
    if (reading.money.length !== 1) return false;
    facts.minimumWage = true;
  }),
  sets("apprentices?(?:hip)? (?:minimum )?(?:wages?|pay|rate|salary)", {
    isApprentice: true,
    minimumWage: true,
  }),
  sets("apprentices?(?:hip)?", { isApprentice: true }),
  rule(
    "(?:national |real )?(?:minimum wage|min wage|living wage|nmw|nlw|minimum pay)(?: (?:worker|job|salary|rate|hourly|per hour))*(?: (?:at|for|aged?) N(?! hours?)| (?:under|below) N)?|(?:under|below) N (?:national )?(?:minimum|living) wage",
    (facts, { amounts: [age], text }) => {
      facts.minimumWage = true;
      facts.isRealLivingWage = text.startsWith("real");
      facts.speaksOfPay = true;
      if (age) facts.age = /under|below/.test(text) ? age.value - 1 : age.value;
    },
  ),
];

export const openingRules: Rule[] = [
  rule("what is (?:a )?(?:student loan )?plan N(?= ?[?.!]?$)", (facts) => {
    facts.asksForRates = true;
    facts.figures.push("student-loan");
  }),
  rule("like (?:i am|im) (?:N|a (?:child|kid))(?: years? old)?"),
  sets("(?<=^)nett? of(?= A)", { maybeNet: true }),
  sets("(?<=^(?:.* (?:meant|mean|said) )?M )nett?(?= ?[?.!]?$)", { maybeNet: true }),
  sets(
    "(?:(?:no|oh|sorry|oops|wait|actually|,) )*(?:(?:i )?meant(?: to say)?|i mean|correction|make (?:it|that)|(?<!(?:i|we|she|he|they) )should (?:be|say)|i said|typo)|(?:no|sorry|oops|wait)(?: ,)?(?= M)|(?<=M )instead(?! of)",
    { isCorrection: true },
  ),
  // "net monthly 2350" gives a take-home, or asks for the take-home of 2350.
  rule(
    "(?<=^(?:(?:is|it|i|am|on|and|so) )*(?:my )?)(?:(?:monthly|weekly|fortnightly) )?(?:net|nett|take home|(?:pay|salary|wages?|income) after (?:tax|deductions))(?: (?:pay|salary|income|wages?))*(?: (?:monthly|weekly|fortnightly|(?:a|per) (?:month|week)))?(?= A ?[?.!]?$)",
    (facts, { text, after }) => {
      const isByPeriod = /month|week|fortnight/.test(text);
      if (isByPeriod && after && after.value < 10_000) facts.maybeNet = true;
      return false;
    },
  ),
  sets("not M(?: (?:but|,|it is))+(?= M)|(?<=M )(?:, )?not M", { isCorrection: true }),
];
