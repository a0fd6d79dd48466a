/** Which sum a message asks for, or which subject it raises that the calculator does not cover. */

export type Topic =
  | "take-home"
  | "income-tax"
  | "national-insurance"
  | "personal-allowance"
  | "student-loan"
  | "marginal-rate"
  | "salary-for-take-home"
  | "tax-rates";

const net =
  "take[- ]?home|taking home|takes? home|net|after[- ]tax|after deductions|in (?:my|your|the) pocket|in hand|left over|am i left|i keep|clear";

const patterns = {
  needs:
    /\b(?:need|have to|must|should) (?:i |to |we )?(?:be )?(?:earn|earning|make|be paid|get paid|salary|gross|on)\b|\b(?:what|which) (?:gross )?(?:salary|gross|wage)\b(?! (?:tax|after))|\b(?:gross|salary) (?:do|would) i need\b|\bwhat(?:'s| is) my (?:gross|salary)\b|\bsalary (?:for|needed|required)\b|\bneed to\b/,
  net: new RegExp(`\\b(?:${net})\\b`),
  takeHome: new RegExp(`\\b(?:${net}|keep|bring home|pay ?slip|pay ?packet|worth)\\b`),
  marginal:
    /\bmarginal\b|\b(?:next|extra|each|every|another|additional) (?:£ ?1|pound|quid)\b|\beffective rate\b/,
  bands:
    /\b(?:bands?|brackets?|thresholds?)\b|\b(?:tax|insurance|ni|repayment) rates?\b|\brates? of (?:income )?tax\b/,
  allowance: /\bpersonal allowances?\b|\btax[- ]free\b|\ballowance\b/,
  insurance:
    /\bnational insurance\b|\bnational ins\b|\bnics?\b|(?<!\b(?:in|for|from|england\/) ?)\bni\b(?!\/)/,
  loan: /\bstudent (?:loans?|debt|finance)\b|\b(?:loan )?repayments?\b|\brepay\b/,
  incomeTax: /\bincome tax\b|\btax(?:es|ed)?\b|\bpaye\b|\bhmrc\b/,
};

/** The sum that a message asks for; several kinds of deduction together are the whole breakdown. */
export function readTopic(text: string, hasAmount: boolean): Topic | undefined {
  const about = (name: keyof typeof patterns) => patterns[name].test(text);
  if (about("marginal")) return "marginal-rate";
  if (about("bands"))
    return hasAmount || /\b(?:am i|do i|i'm|would i|puts? me)\b/.test(text) ? "marginal-rate" : "tax-rates";
  if (hasAmount && about("net") && about("needs")) return "salary-for-take-home";
  if (about("allowance")) return "personal-allowance";
  if (about("takeHome")) return "take-home";
  const insurance = about("insurance");
  // "with a student loan" is a circumstance; "how much student loan" is a question.
  const loan = about("loan") && !/\b(?:with|have|has|got)\b[^.?!]{0,24}\bloans?\b/.test(text);
  const incomeTax = about("incomeTax");
  if (Number(insurance) + Number(loan) + Number(incomeTax) > 1) return "take-home";
  if (insurance) return "national-insurance";
  if (incomeTax) return "income-tax";
  return loan ? "student-loan" : undefined;
}

export interface OutsideSubject {
  /** As it reads after "I can't work out". */
  name: string;
}

const outside: [name: string, pattern: RegExp][] = [
  ["VAT", /\bvat\b|\bvalue added tax\b/],
  ["Capital Gains Tax", /\bcgt\b|\bcapital gains?\b/],
  ["tax on dividends", /\bdividends?\b/],
  ["pension contributions", /\bpensions?\b|\bsipp\b|\bsalary sacrifice\b|\bauto[- ]?enrol\w*\b/],
  [
    "tax for the self-employed",
    /\bself[- ]?employ\w*\b|\bsole trader\b|\bfreelanc\w*\b|\bir35\b|\blimited company\b|\bmy ltd\b|\bclass (?:2|4|two|four)\b|\bcontractor\b|\bumbrella\b/,
  ],
  ["Corporation Tax", /\bcorporation tax\b/],
  ["Inheritance Tax", /\binheritance\b|\biht\b/],
  ["Stamp Duty", /\bstamp duty\b|\bsdlt\b|\blbtt\b/],
  ["Council Tax", /\bcouncil tax\b/],
  [
    "employers' National Insurance",
    /\bemployer(?:'?s|s')? (?:national insurance|ni|nics?|contributions?)\b|\bcost (?:to|of) (?:employ|hire|hiring)\w*\b/,
  ],
  [
    "benefits and tax credits",
    /\buniversal credit\b|\bchild benefit\b|\btax credits?\b|\bhousing benefit\b|\bchildcare\b/,
  ],
  [
    "Marriage or Blind Person's Allowance",
    /\bmarriage allowance\b|\bmarried (?:couple|allowance)\w*\b|\bblind\b/,
  ],
  ["company cars and other benefits in kind", /\bcompany car\b|\bbenefits? in kind\b|\bbik\b|\bp11d\b/],
  ["tax on rent or property", /\brental income\b|\blandlord\b|\bproperty income\b|\bmortgage\b/],
  [
    "tax on savings and investments",
    /\bsavings? (?:interest|tax)\b|\bisas?\b|\bcrypto\w*\b|\bbitcoin\b|\bshares\b|\brsus?\b/,
  ],
  ["tax codes", /\btax codes?\b|\b\d{3,4}[ltmn]\b/],
  [
    "student loan balances or when a loan is paid off",
    /\bpaid off\b|\bpay off\b|\bloan balance\b|\bwrite[- ]?off\b|\bwritten off\b/,
  ],
  ["part-time pay from a full-time salary", /\bpro[- ]rata\b/],
  ["bonuses paid apart from salary", /\bbonus(?:es)?\b|\bovertime\b|\bcommission\b|\bredundancy\b/],
  [
    "tax outside the UK",
    /\b(?:the us|u\.s\.a?\.?|usa|america|american|germany|german|france|french|spain|italy|netherlands|dutch|switzerland|australia|canada|new zealand|india|singapore|dubai|uae|poland|portugal|sweden|norway|denmark|japan|china|hong kong|jersey|guernsey|isle of man|eu|dublin|new york|california|texas)\b|(?<!northern )\bireland\b/,
  ],
];

/** A subject that the calculator does not cover, unless the message itself sets it aside ("without pension"). */
export function readOutsideSubject(text: string): OutsideSubject | undefined {
  for (const [name, pattern] of outside) {
    const at = text.search(pattern);
    if (at < 0) continue;
    const setAside =
      /\b(?:no|without|ignor\w+|exclud\w+|before|not|don't (?:pay|have)|forget) (?:an?y? |my |the |into (?:an? )?)?$/;
    if (setAside.test(text.slice(Math.max(0, at - 30), at))) continue;
    return { name };
  }
  return undefined;
}

export type SmallTalk = "greeting" | "thanks" | "goodbye" | "who" | "capabilities" | "accuracy" | "wellbeing";

const smallTalk: [SmallTalk, RegExp][] = [
  [
    "who",
    /\b(?:who|what) are you\b|\bare you (?:an? |really |even |just )*(?:ai|a\.i\.|bot|robot|human|person|real|chatgpt|gpt|claude|llm|model|machine|program|chatbot|alive)\b|\bwhat model\b|\bwhich model\b|\bwho (?:made|built|wrote) you\b|\byour name\b|\b(?:chatgpt|gpt-?\d*|claude|llm)\b/,
  ],
  [
    "accuracy",
    /\bhow (?:accurate|reliable|right)\b|\bwhere (?:do|does|are|is) (?:the|your|these|those) (?:figures?|numbers?|rates?|data)\b|\bsources?\b|\b(?:can|should) i trust\b|\bare you sure\b|\bhow did you (?:get|work|calculate|know)\b|\byour working\b/,
  ],
  [
    "capabilities",
    /^(?:please )?help(?: me)?[ !.?]*$|\bwhat (?:can|do) you (?:do|know|answer)\b|\bhow (?:does|do) (?:this|you) work\b|\bwhat can i ask\b|\bcan you help\b|\bwhat (?:is|does) this\b|\bheadgate\b/,
  ],
  ["wellbeing", /^(?:hi |hello |hey )?how(?:'s it going| are you| do you do)\b/],
  [
    "thanks",
    /^(?:ok |okay |great |perfect |cool |many |brilliant )*(?:thanks?|thank you|thx|ta|cheers|much appreciated|brilliant|great|perfect|nice one|lovely)\b/,
  ],
  ["goodbye", /^(?:ok |okay )?(?:bye|goodbye|good night|see you|cya)\b/],
  [
    "greeting",
    /^(?:hi|hello|hey|hiya|yo|howdy|good (?:morning|afternoon|evening|day)|greetings|hallo|hei)\b/,
  ],
];

/** Talk that asks for no sum. Only to be asked of a message that holds none. */
export function readSmallTalk(text: string): SmallTalk | undefined {
  return smallTalk.find(([, pattern]) => pattern.test(text))?.[0];
}
