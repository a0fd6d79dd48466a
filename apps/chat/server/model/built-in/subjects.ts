import type { Nation } from "../../../tax/rates.ts";
import type { Facts } from "./facts.ts";

/** Subjects that people mention but that this calculator does not support or need. */
export interface Subject {
  name: string;
  /**
   * `all`: figures for an employee would be wrong, so the amount is not used.
   * `part`: the answer for the salary is right without the subject.
   * `income`: as `part`, but an amount next to it is no salary, even if it is the only amount.
   */
  scope: "all" | "part" | "income";
  /** One sentence. */
  sentence: string;
}

const codesOf: Partial<Record<Nation, string>> = { Scotland: "S1257L", Wales: "C1257L" };

/** @param sums the amounts that belong to the subject: "£9,000" */
export function addSubject(facts: Facts, subject: Subject, sums = ""): void {
  const known = facts.subjects.find(({ name }) => name === subject.name);
  const one = known ?? { ...subject };
  if (!known) facts.subjects.push(one);
  const [nation, other] = facts.nations;
  const code = nation && other === undefined ? codesOf[nation] : undefined;
  if (code && subject.name === "tax codes") facts.remarks.push(`In ${nation} the usual code is ${code}.`);
  if (sums !== "")
    one.sentence = one.sentence.replace(
      /(?: \((.*)\))?\.$/,
      (_, sum) => ` (${sum ? `${sum}, ` : ""}${sums}).`,
    );
}

interface SubjectRule {
  pattern: string;
  subject: Subject;
}

function linesOf(text: string): string[][] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" ~ "));
}

/** One line for each subject: the scope, the name, a pattern of its words, and a sentence for the answer. */
export const subjectRules: SubjectRule[] = linesOf(`
all ~ VAT ~ vat|value added tax ~ I can't work out VAT.
all ~ Capital Gains Tax ~ cgt|capital gains?(?: tax)?|(?:sold|selling|sale of)(?: (?:my|some|a|the))* (?:shares?|stocks?|crypto|bitcoin|house|flat|property)(?: (?:with|at|for|and|made))*(?: (?:gains?|profit))?|(?<=(?:M|·) )gains? ~ I can't work out Capital Gains Tax.
income ~ tax on dividends ~ dividends?(?: income| tax)? ~ I can't work out tax on dividends: I left the dividends out.
all ~ tax for the self-employed ~ self employed(?: and)?|self employment|sole trader|onlyfans|uber(?: eats)?|deliveroo|etsy|ebay|vinted|freelanc(?:e|er|ing)|(?<!(?:hgv|lgv|driver|driving) )class N|(?:class )?4 ni|own business|takings|trading income|gig work ~ I can't work out tax for the self-employed.
all ~ a director's own salary ~ (?:sole|owner) directors?|directors? of own (?:company|ltd) ~ I can't work out which salary suits a director of their own company: the employer's National Insurance, Corporation Tax, dividends and the State Pension record decide.
all ~ contractors' pay ~ ir35|umbrella(?: company)?|limited company|ltd(?: company)?|contractor|contracting|outside ir35|inside ir35 ~ I can't work out a contractor's pay of a limited or umbrella company.
all ~ Construction Industry Scheme deductions ~ cis ~ I can't work out Construction Industry Scheme deductions.
all ~ Corporation Tax ~ corporation tax ~ I can't work out Corporation Tax.
all ~ Inheritance Tax ~ inheritance(?: tax)?|iht|inherited|(?:left|leaving|leaves) (?:me|us)(?= M)(?! M a (?:month|week|year))|(?<=(?:dad|mum|parents?|gran|nan|grandad|uncle|aunt|will) .*)(?:left|leaving) (?:me|us) ~ I can't work out Inheritance Tax.
all ~ Stamp Duty ~ stamp duty|sdlt|lbtt ~ I can't work out Stamp Duty.
all ~ redundancy pay ~ redundancy(?: pay| payment| package)?|made redundant|severance ~ I can't work out redundancy pay.
all ~ statutory pay ~ (?:maternity|mat|paternity|parental|adoption)(?: pay| leave)?|smp|ssp|statutory sick pay|sick(?:ness)? pay|furlough ~ I can't work out statutory pay.
all ~ tax outside the UK ~ (?:in |from )?(?:the )?(?:usa|us(?= (?:tax|salary|federal|income|pay|dollars?))|america|american|germany|german|france|french|spain|spanish|italy|italian|netherlands|dutch|switzerland|swiss|australia|australian|canada|canadian|new zealand|india|indian|singapore|dubai|uae|poland|portugal|sweden|norway|denmark|japan|china|hong kong|jersey|guernsey|isle of man|dublin|new york|california|texas|ireland|irish|europe|abroad|overseas) ~ I can't work out tax outside the UK.
all ~ the salary for an employer's cost ~ (?:total )?cost to (?:the )?company(?! of)|ctc ~ I can't work back from what an employer pays to a salary. Ask what a salary costs the employer.
all ~ what a pension pays ~ how much (?:state |private )?pension (?:will|would|can|do|does|might)(?: (?:i|you|get|have|me))* ~ I can't work out what a pension will pay.
all ~ grants and stipends ~ (?<!(?:vicars?|clergy|priests?|ministers?|curates?|rectors?|church|pastors?|trainee) )stipends?|bursar(?:y|ies)|scholarships? ~ I can't work out stipends, bursaries and scholarships: most are free of tax.
part ~ National Insurance record ~ (?:qualifying|missing) (?:ni |national insurance )?years?|(?:ni|national insurance) (?:years?|record|credits?|gaps?)|(?:affect|count towards?|hurt|qualify for|build)(?: (?:my|the|·))* state pension ~ I don't know about the years of National Insurance that count towards the State Pension.
part ~ payments in lieu of notice ~ (?:pay(?:ment)? )?in lieu(?: of notice)?|pilon|notice pay ~ I can't work out a payment in lieu of notice: I left it out.
all ~ pensions in payment ~ state pension(?: income)?(?! age)|pension income|private pension income|pension drawdown|drawdown|retired|pension lump sum|receiving (?:a )?(?:state )?pension|my state pension|annuity ~ I can't work out a pension in payment, or the tax on it.
part ~ Child Benefit ~ (?:(?:pay(?:ing)? back|repay(?:ing)?) )?(?:high income )?child benefits?(?: (?:charge|tax charge|back))?|hicbc ~ I can't work out Child Benefit or its charge: I left it out.
part ~ Carer's Allowance ~ carers? allowance ~ I left Carer's Allowance out of these figures: it is taxable and uses the personal allowance together with the pay, so the tax can be more. It is only paid while you earn up to a limit a week, which is on [GOV.UK](https://www.gov.uk/carers-allowance/eligibility).
part ~ benefits and tax credits ~ universal credit|tax credits?|housing benefit|jobseekers?(?: allowance)?|pip|esa|benefits ~ I can't work out benefits: I left them out.
part ~ free childcare ~ free childcare|childcare vouchers?|tax free childcare|free hours ~ I can't work out help with childcare: I left it out.
part ~ Marriage Allowance ~ marriage allowance|marriage tax allowance|married couples? allowance ~ I can't work out the Marriage Allowance: I left it out.
part ~ Blind Person's Allowance ~ blind(?: persons?)?(?: allowance)?|registered blind ~ I can't work out the Blind Person's Allowance: I left it out.
part ~ company cars and other benefits in kind ~ company car|company van|list price|p11d value|benefits? in kind|bik|private (?:medical|health)(?: (?:insurance|cover|benefit))?|(?:health|medical) (?:insurance|cover)|private healthcare|bupa|(?:electric )?car (?:salary sacrifice|scheme|lease)|salary sacrifice (?:car|lease)|ev scheme|car scheme|cycle to work(?: scheme)?|bike to work(?: scheme)? ~ I can't work out benefits in kind and schemes such as a company car or cycle to work: I left them out.
income ~ rent received ~ rental (?:income|profits?)|rent received|landlord(?! (?:put|puts|has|is|wants?|raised|raising|increased|charges|charging|says))|buy to let|property income|lodger|airbnb|rent a room ~ I can't work out tax on rent received: I left it out.
income ~ tax on savings and investments ~ savings? interest|bank interest|interest on savings|(?<!(?:loans?|debts?|owe|borroww*|charged?|repayw*|·) .*)interest(?! rates?|.* (?:loans?|debts?|charged?|·)(?!S))|savings|isas?|crypto(?:currency)?|bitcoin|shares|stock options?|stocks?|investments?|share scheme|sharesave ~ I can't work out tax on savings and investments: I left them out.
part ~ gift aid ~ gift aid|(?:give|gave|giving|donat(?:e|ed|ing))(?: (?:M|·|to|a|month|year))* charit(?:y|ies)|charity donations?|donations?|payroll giving|give as you earn ~ I can't work out relief on gifts to charity: I left the gifts out.
part ~ expenses ~ tax relief|(?:A )?miles?(?: (?:a|per) (?:year|week|month))?|mileage|(?:nmc|gmc|rcn|professional|registration|membership) (?:fees?|subs?|subscriptions?)|work(?:ing)? from home allowance|uniform allowance|professional fees|mileage(?: allowance)?|expenses claim|(?:claim|claiming)(?: (?:for|·|back))* (?:uniform|tools|washing) ~ I can't work out relief on expenses: I left it out.
part ~ tax refunds ~ p800s?|p50s?|tax (?:refund|rebate|back)|get(?: (?:it|any|anything|money|some|all|the))* back|tax(?: (?:i|we))? owe|refund|rebate|owed tax|overpaid(?: tax)?|underpaid(?: tax)? ~ I can't work out refunds or returns: I don't know how much you paid or owe.
part ~ tax returns ~ (?:when (?:is|are) )?(?:self assessment|tax returns?)(?: (?:tax return|deadline|due|date))* ~ A tax return is due online by **31 January** after the tax year, on paper by 31 October. I can't tell whether you must send one ([GOV.UK](https://www.gov.uk/self-assessment-tax-returns/deadlines)).
part ~ when a loan is paid off ~ (?:paid|pay|paying) off|write off|written off|wiped|loan interest|interest rate|interest ~ I can't work out when a loan is paid off.
part ~ public sector pensions ~ nhs pension|teachers? pension|lgps|civil service pension|alpha pension|police pension|final salary(?: pension)?|defined benefit ~ I don't know that scheme's contribution tiers: I left the pension out. Say “with 9.8% pension” if you know the share.
part ~ part of a year ~ part of the year|part year|mid year|halfway through|half way through|N (?:months?|weeks?) (?:of work|work|worked|only|of the year|contract|fixed term|placement|temp)|fixed term(?: (?:contract|N months?|for))*|(?:started|starting|start|left|leaving|leave|joined|joining) (?:work |a job |my job |in |on |mid )*(?:january|february|march|april|may|june|july|august|september|october|november|december|halfway) ~ I work out a whole year: I left the part-year out.
part ~ tax codes ~ (?:(?:should|is|are) (?:(?:my|our|the|this|that) )?)?(?:emergency )?tax codes?(?: (?:be|right|wrong|correct|ok|okay|should (?:i|we|it|mine)(?: (?:have|be|get|be on))?))? ~ I can't tell whether a tax code is right. The usual one is 1257L (S1257L in Scotland, C1257L in Wales), for an only job without benefits, and HMRC sets yours. Give it, such as “1100L” or “BR”: without one I use the usual allowance.
part ~ pay bands ~ (?:nhs |afc )?(?<!tax )bands? N ~ I don't know the salaries of pay bands. Give the salary.
part ~ average pay ~ (?:average|median|typical|mean)(?: (?:uk|british|national|full time))* (?:salary|salaries|wages?|pay|income|earnings)|(?:salary|wages?|pay)(?: (?:of|for))? (?:average|typical) ~ I don't know average salaries. Give a salary.
part ~ advice ~ (?:(?:best |good )?ways? to )?(?:save|saving) (?:on )?(?:income )?tax|best way|(?:how (?:can|do|could|should|might|would) (?:i|we)|how to|ways? (?:to|of))(?: legally)? (?:pay|paying) (?:less|no) (?:income )?tax|(?<!(?:i|we|would|will) )(?:reduce|reducing|lower|lowering|avoid|avoiding|minimi[sz]e|dodge|dodging|evade|evading|cut|cutting)(?: (?:my|the|some))* (?:income )?tax(?: bill)?|tax (?:efficient|avoidance|evasion|planning)|hide (?:income|money|earnings|pay)(?: from)?(?: (?:hmrc|taxman))? ~ I don't advise on paying less tax. You can ask for the effect of a pension, such as “with 10% pension”.
part ~ council tax ~ council tax ~ I don't know your council tax: I left it out.
part ~ inflation ~ inflation|cost of living|cpi|rpi|real terms ~ I don't work with inflation: I left it out.
part ~ garnishments ~ attachment of earnings|child maintenance|csa|maintenance payments? ~ I left out deductions for court orders or maintenance.
part ~ union fees ~ union(?: (?:fees|dues|subs|membership))?|unison ~ I left the union fees out.
`).map(([scope, name = "", pattern = "", sentence = ""]) => ({
  pattern,
  subject: { name, scope: scope as Subject["scope"], sentence },
}));

export const jobSentence = "Your job does not change these figures.";

/** Circumstances that do not change a figure: a pattern, and a sentence for the answer. */
export const neutralRules: string[][] = linesOf(`
(?:with )?(?:no )?mortgages? ~ The mortgage does not change your tax.
(?:i am |we are |just |get(?:ting)? |got |not )?stays? at home(?: (?:wife|husband|mum|dad|partner|parent|mother|father))?|(?:married|single|divorced|engaged|unmarried|widowed|separated|civil partnership) ~ Being married or single does not change these figures (I left the Marriage Allowance out).
(?:with |have |has |and )*(?:no |N |one )?(?:(?:kids|children) N|kids?|children|child|baby|babies|dependants?|dependents?|toddlers?|sons?|daughters?|twins)|single (?:mum|mom|dad|parent)|parent|mum|dad|mother|father ~ Children do not change income tax or National Insurance (I left Child Benefit out).
(?:i am )?(?:(?:nhs|supply|agency|senior|junior|trainee|qualified) )*(?:teacher|nurse|doctor|police officer|firefighter|engineer|plumber|electrician|driver|cleaner|chef|waiter|waitress|consultant|surgeon|pharmacist|dentist|vet|social worker|corporal|sergeant|analyst|designer|architect|scientist|technician|mechanic|labourer|builder|bricklayer|brickie|carpenter|joiner|barista|bartender|shop assistant|warehouse (?:operative|worker)|ceo|footballer|accountant|lawyer|solicitor|developer|programmer|manager|teaching assistant|care worker|carer|civil servant|paramedic|midwife|lecturer|receptionist|postman|soldier)|(?:in the )?(?:armed forces|army|navy|raf)(?! pension)|(?:at |in )?(?:a |the )?school(?: job)? ~ ${jobSentence}
(?:(?:while|as|when|still|being) )*(?:i am )?(?:(?:full time|uni|university|college) )*students?(?! (?:loans?|finance|debts?)) ~ Being a student does not change your tax.
homeowner|own (?:a |my )?(?:house|home|flat)|renting|rent a flat|tenant ~ Owning or renting a home does not change your tax.
`);
