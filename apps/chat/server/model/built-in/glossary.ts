/** Terms about pay, each explained in at most two sentences. */
export interface Term {
  name: string;
  meaning: string;
}

export const minusTax: Term = {
  name: "a minus tax on a payslip",
  meaning:
    "Tax is paid back to you. PAYE counts from April: if your tax code went up, or you paid too much in earlier months or had low pay in this one, the difference comes back with your pay.",
};

/** One line for each term: a pattern of its words, its name, and its meaning. */
const terms = `
net pay arrangement ~ net pay arrangement ~ Your employer takes the pension contribution before income tax is worked out, so you get full tax relief at once. National Insurance is due as before.
paye|pay as you earn ~ PAYE ~ Pay As You Earn: your employer takes income tax and National Insurance out of each payment of your wages and sends them to HMRC. For most employees that settles the year, without a tax return.
hmrc ~ HMRC ~ HM Revenue and Customs, the UK's tax authority. It collects income tax and National Insurance, mostly through employers.
national insurance|nics?|ni|ni contributions ~ National Insurance ~ A deduction from pay that counts towards the State Pension and some benefits. An employee pays 8% of pay between £12,570 and £50,270 a year and 2% above; the employer pays its own contribution on top.
income tax ~ income tax ~ A tax on what you earn above the personal allowance, in bands with rising rates. Scotland has bands of its own; England, Wales and Northern Ireland share theirs.
personal allowance|tax free allowance|tax free amount ~ personal allowance ~ The income on which you pay no income tax: £12,570 a year. It shrinks by £1 for every £2 of income above £100,000 and is gone at £125,140.
marginal (?:tax )?rate ~ marginal rate ~ What goes in tax, National Insurance and student loan out of the next pound that you earn. It is not the share of all your pay that goes: that is the effective rate.
(?:effective|average) (?:tax )?rate ~ effective rate ~ Income tax and National Insurance as a share of all your pay. It is lower than the marginal rate, because the first pounds are taxed less.
adjusted net income|net adjusted income ~ adjusted net income ~ Your taxable income before allowances, less what you pay into a pension by relief at source and give by Gift Aid (each with the basic rate added), and trading losses. What salary sacrifice or a net pay arrangement takes is off already. Above £60,000 of it Child Benefit is charged back, above £100,000 the personal allowance shrinks. ([source](https://www.gov.uk/guidance/adjusted-net-income))
take home(?: pay)?|net pay|net salary|net income|net ~ take-home pay ~ What is left of your pay after income tax, National Insurance and other deductions such as a student loan or a pension. It is also called net pay.
gross(?: pay| salary| income)?|gross and net|net and gross ~ gross pay ~ Your pay before anything is taken out of it. What is left after deductions is net, or take-home, pay.
salary sacrifice|sal sac|smart pension ~ salary sacrifice ~ You agree to a lower salary and your employer pays the difference into your pension, so neither income tax nor National Insurance is due on it. Student loan repayments fall too.
relief at source ~ relief at source ~ You pay into a pension out of taxed pay and the provider claims basic-rate tax back, so £80 becomes £100. Higher-rate relief is claimed from HMRC; National Insurance is not saved.
tax codes? ~ tax code ~ The letters and digits that tell your employer how much of your pay is free of tax. 1257L, the usual one, stands for the allowance of £12,570.
emergency tax(?: code)? ~ emergency tax ~ Tax by a temporary code, such as 1257L M1, while HMRC does not know your earlier pay of the year. What is overpaid usually comes back by itself once your code is right.
p45s?(?: (?:and|or|vs|versus))?(?: an?)? p60s? ~ P45 and P60 ~ A P45 comes when you leave a job, with your pay and tax of the year so far, for the next employer. A P60 comes by 31 May from the employer you have on 5 April, with those of the whole tax year.
avcs?|additional voluntary contributions? ~ AVC ~ Additional voluntary contributions: payments of your own into a pension on top of those of the scheme, with the same tax relief.
(?:ni |national insurance )?categor(?:y|ies)(?: letters?)?(?: [a-z](?= |$))? ~ National Insurance category ~ The letter tells the rates: A is the usual one, M for employees under 21 and H for apprentices under 25 (the employer pays nothing up to £50,270), C past State Pension age (you pay none), J if you defer in a second job.
(?:tax )?(?:period|month|week) N(?: month N)? ~ tax month ~ The tax year is counted from 6 April: tax month 1 is 6 April to 5 May, tax week 1 its first seven days. It is not the mark M1 of a tax code, which means that each month is taxed by itself.
(?:P )?(?:rolled up )?holiday (?:pay|accrual) ~ holiday pay ~ Pay for holiday is taxed like all other pay. For irregular hours it is often 12.07% of pay: 5.6 weeks of holiday over the 46.4 weeks worked.
p800s? ~ P800 ~ HMRC's letter after the tax year that you paid too much or too little tax. Too much is repaid; too little is usually taken in twelve parts through the next year's tax code.
p45s? ~ P45 ~ The form that an employer gives you when you leave: your pay and tax of the year so far. Your next employer needs it for the right tax code.
p60s? ~ P60 ~ The yearly summary of your pay and deductions, which your employer gives you by 31 May after the tax year's end.
p11d ~ P11D ~ The form on which an employer reports benefits such as a company car to HMRC. Tax on them is usually taken through your tax code.
basic rate(?: taxpayer| tax| band)? ~ basic rate ~ The rate of 20% on the first £37,700 above the personal allowance, so on pay up to £50,270. In Scotland it is one of six rates, between the starter and the intermediate rate.
higher rate(?: taxpayer| tax| band)? ~ higher rate ~ The rate of 40% on income above £50,270 and up to £125,140. In Scotland it is 42% and begins above £43,662.
additional rate(?: taxpayer| tax| band)? ~ additional rate ~ The rate of 45% on income above £125,140. In Scotland the top rate there is 48%.
tax bands?|tax brackets? ~ tax band ~ A part of your income with a rate of its own. Only the income inside a band is taxed at its rate, so a rise into a higher band never lowers your take-home.
student loan plans?|student loan repayments?|student loans?|student loan ~ student loan repayment ~ 9% of pay above a threshold that depends on your plan (1, 2, 4 or 5), and 6% above £21,000 for a postgraduate loan. Your employer takes it with the tax; the balance does not change it.
plan 1 ~ plan 1 ~ The student loan of those who began before September 2012 in England or Wales, and of borrowers in Northern Ireland. It takes 9% of pay above its threshold.
plan 2 ~ plan 2 ~ The student loan of those who began in England from September 2012 to July 2023, or in Wales since. It takes 9% of pay above its threshold.
plan 4 ~ plan 4 ~ The student loan of borrowers in Scotland. It takes 9% of pay above its threshold.
plan 5 ~ plan 5 ~ The student loan of those who began in England from August 2023. It takes 9% of pay above £25,000, from April 2026.
pro rata ~ pro rata ~ In proportion: a part-time salary is the full-time one times the share of the hours. £45,000 pro rata for 4 days of 5 is £36,000.
auto enrolment|auto enrollment|automatic enrolment ~ automatic enrolment ~ Employers must put most employees into a pension. At least 8% of qualifying earnings goes in, of which at least 3% from the employer.
employers? (?:national insurance|ni|nics?) ~ employer's National Insurance ~ What an employer pays on top of your salary: 15% of pay above £5,000 a year. It is not taken from your pay.
minimum wage|living wage|national minimum wage|national living wage|nmw|nlw ~ minimum wage ~ The least an employer may pay an hour, by age; from 21 it is called the National Living Wage. It changes each April.
(?:the )?P(?: (?:tax|income tax|marginal rate))? traps? ~ 60% trap ~ Between £100,000 and £125,140 each £2 earned takes away £1 of the personal allowance, so £1 more costs 60p of income tax, and 2p of National Insurance. A pension contribution that brings your pay down to £100,000 avoids it.
fiscal drag ~ fiscal drag ~ While allowances and bands stay the same and pay rises, more of it is taxed, and at higher rates. Most of the UK's thresholds are frozen until April 2031.
state pension(?: age)? ~ State Pension age ~ The age from which you can have the State Pension: 66, rising to 67 for those born from April 1960. Employees past it pay no National Insurance.
overtime|bonus(?:es)?|commission|tips|london weighting|back ?pay|car allowance|pay award ~ extra pay ~ Overtime, bonuses, commission, back pay and allowances are taxed like your other pay, at your marginal rate: 28% at the basic rate with National Insurance, 42% above £50,270. PAYE can take more in the month of payment, which evens out over the year. On tips National Insurance is due only if the employer shares them out.
wages? slips?|payslip ~ payslip ~ The statement with each payment of your wages: gross pay, each deduction, and what you take home.
fte|full time equivalent ~ FTE ~ Full-time equivalent: 1.0 is full time, 0.8 is four days of five. A salary quoted at FTE 1.0 is multiplied by your share.
`;

/**
 * One line for each question that asks why or when: a pattern of its words (`_` is up to four words), a name, the answer.
 * `also`: with an amount the figure is given too.
 */
const explanations = `
alone ~ (?:monthly|weekly)(?: (?:and|or|weekly|monthly|the|earnings))* (?:ni|nics?|national insurance) (?:primary )?(?:threshold|limit|allowance)s?(?: (?:and|or|weekly|monthly|the|one))*|(?:ni|nics?|national insurance) (?:thresholds?|limits?)(?: (?:is|are|per|a|each|by|the|in|for))* (?:month|week|monthly|weekly)(?: (?:and|or|by|per|a|the|weekly|monthly|week|month|one))* ~ National Insurance by the week and month ~ An employee pays 8% of pay above £242 a week or £1,048 a month, and 2% above £967 a week or £4,189 a month. The employer pays 15% above £96 a week or £417 a month (2026/27).
also ~ (?:minus|negative)(?: (?:figure|amount|number|sum|for|of|in|on|the|my|a|income|paye))* tax(?: (?:this|that|in|on|for|my|the|month|week|payslip|,|of))*(?: S)?|tax(?: (?:is|was|shows|showing|says|as|a|of|deduction|figure|amount|line|on|my|the|payslip|this|month))* (?:minus|negative)(?: (?:this|that|on|my|the|month|week|payslip|,|of|figure|amount))*(?: S)? ~ ${minusTax.name} ~ ${minusTax.meaning}
alone ~ (?:will|would|could|might|is|are|when)(?: [a-z]+){0,3} (?:labour|government|chancellor|treasury|reform|tories|conservatives|parliament)(?: [a-z]+){0,4} (?:put up|raise|raising|increase|increasing|cut|cutting|scrap|scrapping|abolish|change|changing|freeze|lower|lowering|reduce)(?: [a-z]+){0,4} (?:tax|ni|national insurance|allowances?|thresholds?|bands?) ~ future rates ~ I can't tell what a government will change. I know the rates of 2024/25, 2025/26 and 2026/27. The personal allowance of £12,570 and the National Insurance thresholds of employees are frozen until April 2031.
alone ~ (?:(?:is|was|will|are|does|do|can)(?: [a-z]+){0,3} )?salary sacrifice(?: [a-z]+){0,3} (?:scrapped|abolished|capped|ending|ended|banned|stopped|changing|still)(?: [a-z]+){0,5}|(?:still|scrapping|abolishing|ending|capping)(?: [a-z]+){0,3} salary sacrifice(?: [a-z]+){0,5} ~ salary sacrifice after the Budget of 2025 ~ It works as before until April 2029. From 6 April 2029 only the first £2,000 a year that goes into a pension by salary sacrifice is free of National Insurance; all of it stays free of income tax.
also ~ (?:does|do|will|would|can|could|is)(?: [a-z]+){0,3} student loans?(?: repayments?| payments?)?(?: [a-z]+){0,3} (?:down|drop|fall|less|lower|reduced?|shrink|change|smaller)(?: [a-z]+){0,8} pensions?|(?:does|do|will|would|can|could)(?: [a-z]+){0,6} pensions?(?: [a-z]+){0,4} (?:reduce|lower|cut|shrink|affect|change)(?: [a-z]+){0,3} student loans?(?: repayments?| payments?)? ~ student loans and pensions ~ By salary sacrifice yes: the repayment is a share of the lower pay that is left, so each £100 into the pension lowers it by £9 (£6 for a postgraduate loan). By net pay arrangement or relief at source no: it is worked out on the pay before the contribution.
also ~ (?:why|how come)_ (?:bonus|overtime)_ taxed?(?: (?:so|at|much|heavily|high|higher))*|(?:do|does|is|are|will|would)_ (?:bonus(?:es)?|overtime)_ taxed(?: (?:at a|more|higher|differently|extra|heavily|rate))+(?: than_)?|(?:do|will) i_ taxed? (?:more )?on_ (?:bonus|overtime) more than_ ~ tax on a bonus ~ A bonus or overtime is taxed like all other pay, at your marginal rate. In the month in which it is paid, PAYE can take more, as if every month were like it; over the year that evens out.
alone ~ (?:is|are|do|does|will|can)_ (?:bonus(?:es)?|overtime|commission|tips|london weighting|allowances?|back ?pay|holiday pay)_ tax(?:ed|able)?_|(?:do|does|will|can) (?:i|you|we|they|people)_ (?:more )?tax on_ (?:bonus(?:es)?|overtime|commission|tips|back ?pay|holiday pay) ~ extra pay ~ It is taxed like your other pay, at your marginal rate: 28% at the basic rate with National Insurance, 42% above £50,270. PAYE can take more in the month of payment, which evens out over the year. On tips National Insurance is due only if the employer shares them out.
alone ~ (?:gross|net)_ (?:vs|versus|v) (?:gross|net)_ ~ gross and net ~ Gross is your pay before anything is taken out of it. Net, or take-home, is what is left after income tax, National Insurance, pension and student loan.
alone ~ codes?(?: [a-z]+){0,3} (?:letters?|start|starts|starting|begin|begins|end|ends|with)(?: (?:with|in|by|an?))* [a-z](?= |$)_|(?:letters?)_ (?:tax )?codes?_ ~ letters of a tax code ~ L is the usual allowance, M and N the Marriage Allowance, T an allowance that HMRC worked out with other figures, K untaxed income above the allowance. S before it is Scotland, C Wales; BR, D0 and D1 tax all pay at one rate, 0T gives no allowance, and W1, M1 or X tax each payday by itself.
alone ~ why_ tax_ (?:different|change|changes|vary|varies)_ ~ tax that differs ~ PAYE counts from April: each payday adds a part of your allowance (£241.73 a week), so a low one gives tax back and a high one takes more. National Insurance looks at each payday by itself: 8% of what is above £242 a week.
also ~ paid (?:twice|2 times) in (?:one|1|the same|a)_ (?:month|week)_ ~ two payments in one month ~ Income tax evens out, because it counts from April. National Insurance counts each payment period: a payment that was only moved should be counted in its usual period, so ask payroll if it was not.
also ~ (?:most|maximum)_ (?:put|pay|contribute)_ (?:in|into|to)_ pensions? ~ most into a pension ~ Up to £60,000 a year, the employer's part included, and at most your pay of the year, has tax relief; unused allowance of the last three years can be added. Above £260,000 of income it can be less.
also ~ (?:is|are|does|do)_ student loans?_ (?:before|after) (?:or (?:before|after) )?(?:tax|ni|pension|deductions)_ ~ student loans and tax ~ A repayment is worked out on your pay before tax, above the threshold of your plan. It does not lower your income tax; a pension by salary sacrifice lowers the repayment.
also ~ (?:is|are|does|do|will)_ pensions?_ (?:before|after) (?:or (?:before|after) )?(?:tax|ni|deductions)_|how_ pensions?_ (?:affect|change|reduce|lower)_ (?:tax|take home|pay)_ ~ pensions and tax ~ By salary sacrifice a contribution is taken before income tax and National Insurance, by net pay arrangement before income tax only. With relief at source it is taken from taxed pay, and the provider adds the basic rate.
alone ~ (?:what is |whats )?(?:the )?(?:most|maximum)_ (?:earn|make|paid|get) (?:without|before)_ tax|(?:how much|what)_ (?:earn|make)_ (?:without (?:paying )?(?:any )?|tax free)(?:income )?(?:tax)?|tax free_ earn ~ tax-free pay ~ £12,570 a year is free of income tax: the personal allowance, £1,047.50 a month. National Insurance starts at the same pay.
alone ~ when_ los(?:e|ing)_ allowance|how_ allowance_ (?:taper|shrink|reduced?|work)(?:s|ed)? ~ loss of the personal allowance ~ Above £100,000 of income the allowance of £12,570 shrinks by £1 for every £2, and at £125,140 it is gone. In between £1 more costs 60p of income tax.
also ~ (?:why|how come)_ (?:payslip|pay|wages?|salary|take home)_ (?:so low|lower|less|low|so little|down)(?: (?:this|last|than)_)? ~ low pay ~ Usual reasons are an emergency or BR tax code, a month that was not worked in full, or a pension or student loan that began. Compare the tax code and the gross pay on the payslip with your contract.
alone ~ (?:do|does|is|will|are)_ (?:ni|nics?|national insurance)_ on_ pensions?|(?:do|will) (?:i|you|we) (?:pay|get taxed|still pay)_ on_ pensions?|(?:is|are)_ pensions? tax(?:ed|able|free) ~ tax on a pension ~ A pension that you receive is taxed as income above the personal allowance, without National Insurance. What you pay into one is mostly free of income tax, and by salary sacrifice of National Insurance too.
also ~ (?:why|how come)_ (?:second|2nd|other) job_ taxed?(?: (?:so much|more|at))*_|(?:is|are|will|do)_ (?:second|2nd) jobs?_ taxed(?: (?:more|higher|differently|heavily))+ ~ tax on a second job ~ The first job usually uses the whole personal allowance, so the second is taxed from its first pound, often by the code BR. Over the year the income tax is the same as on one job that pays the sum; National Insurance has its threshold in each job.
alone ~ when_ student loans?_ (?:written off|wiped|cancelled|expire|end)|how long_ student loans?_ (?:last|written off|wiped|gone) ~ when a student loan is written off ~ Plan 1 is written off after 25 years (older loans at 65), plans 2 and 4 and the postgraduate loan after 30 years, plan 5 after 40 years. The years count from the April in which repayments could first begin.
alone ~ (?:what|which)_ (?:deductions|deducted|taken|comes?)_ (?:from|off|out of)_ (?:pay|wages?|salary|payslip)|what deductions_ (?:payslip|pay|wages?|salary) ~ deductions ~ Income tax and National Insurance, and where you have them a student loan and a pension. Name a salary for the figures.
alone ~ (?:how (?:do|can|would|to|does)|can you show me how)_ (?:work out|calculate|figure out|worked out|calculated)_ (?:net|take home|tax|pay|salary|wages?)(?: pay)?|how is_ (?:tax|pay|take home|ni)_ (?:worked out|calculated) ~ how pay is worked out ~ Income tax: nothing on the first £12,570 of a year's pay, 20% up to £50,270, 40% up to £125,140, 45% above (Scotland has bands of its own). National Insurance: 8% between £12,570 and £50,270, 2% above; then pension and student loan.
alone ~ do (?:students?|apprentices|teenagers|under 18s?|children|kids|part timers|part time workers)_ pay_ (?:tax|ni|national insurance) ~ who pays ~ Everybody with pay above £12,570 a year pays income tax, whatever their age, hours or studies. National Insurance starts at the same pay, from age 16 to State Pension age.
alone ~ (?:do|should|must|will) (?:i|we)_ (?:need|have)?_ (?:tax return|self assessment) ~ tax return ~ Most employees need none: PAYE settles their tax. Untaxed income over £1,000, such as from self-employment or rent, usually needs one.
alone ~ (?:when|how often)_ (?:tax|ni|national insurance|student loan)_ (?:taken|deducted)(?: from_)? ~ when deductions are taken ~ On each payday, by your employer. Income tax counts from the start of the tax year; National Insurance and student loans count each payday by itself.
also ~ (?:worse off|lose money|earn less)(?: [a-z]+){0,12} (?:bracket|band|rate)|(?:bracket|band)(?: [a-z]+){0,8} (?:worse off|lose money) ~ tax bands ~ A rise into a higher band does not make you worse off: only the pay above the threshold (£50,270 for 40%) is taxed at its rate. Child Benefit from £60,000 and help with childcare at £100,000 are other limits.
also ~ why_ (?:pay|paying|taxed|tax)_ P(?: (?:tax|in|on|rate)_)? ~ tax bands ~ Only the pay inside a band is taxed at its rate: 40% begins at £50,270, in Scotland 42% at £43,662. A rise into a higher band never lowers your take-home.
`;

function linesOf(text: string): string[][] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" ~ "));
}

const general =
  "(?:what is|what are|how does|how do|how is|how are|what counts (?:as|towards)|difference between|what is the difference between)(?: an?)?";
const exact =
  "(?:what does|what do|what is meant by|meaning of|explain|define|definition of|tell me about)(?: an?| the)*";
const tail = "(?: (?:mean|means|stand for|is|are|work|works|worked out|calculated))*";
const gap = "(?: [a-z]+){0,4}";

/** The patterns of questions about a term ("what does PAYE mean"), and of those that ask why or when. */
export const termPatterns: { asked: string; term: Term; isAlone: boolean }[] = [
  ...linesOf(explanations).map(([scope, pattern = "", name = "", meaning = ""]) => ({
    asked: pattern.replaceAll("_", gap),
    term: { name, meaning },
    isAlone: scope === "alone",
  })),
  ...linesOf(terms).map(([pattern = "", name = "", meaning = ""]) => ({
    asked: `(?:${general}|${exact}) (?:${pattern})${tail}|(?:${pattern}) (?:meaning|explained|definition)`,
    term: { name, meaning },
    isAlone: true,
  })),
];

const asksWhy =
  /\b(?:why|when|explain|mean|means|meaning|difference|how (?:does|do|is|are|come))\b|^(?:(?:and|so|but|hi|hello) )*(?:is|are|do|does|did|can|should|will|would)\b|^what(?: \w+)? (?:is|are)(?!.*\bmy\b)/;

/** The term that a question of words is about, if no pattern fits: "do you pay more tax on overtime". */
const topics = linesOf(terms).map(([pattern = "", name = "", meaning = ""]) => ({
  pattern: new RegExp(`(?<!\\S)(?:${pattern.replaceAll("P", "S").replaceAll("N", "S")})(?!\\S)`),
  term: { name, meaning },
}));

/** Words of most questions: alone they do not say what is asked. */
const isCommon = /^(?:take-home pay|gross pay|payslip)$/;
const asksMeaning =
  /\b(?:explain|means?|meaning|difference|what (?:is|are|does|do)|how (?:does|do|is|are)|why|when)(?: (?:an?|the|my|your|uk))* $/;

export function topicOf(text: string): Term | undefined {
  if (!asksWhy.test(text)) return undefined;
  const found = topics.flatMap(({ pattern, term }) => {
    const match = pattern.exec(text);
    if (match === null) return [];
    const isAsked = !isCommon.test(term.name) || asksMeaning.test(text.slice(0, match.index));
    return isAsked ? [{ term, length: match[0].length }] : [];
  });
  return found.toSorted((one, other) => other.length - one.length)[0]?.term;
}
