/** Rules of thumb of 2026/27 for subjects that the calculator does not work out. */
import type { Subject } from "./subjects.ts";

/** One line for each subject: its name, the rule of thumb, and the page of GOV.UK that it is from. */
const lines = `
tax on dividends ~ The first £500 of dividends in a tax year is free. Above that, and above what is left of your personal allowance, 10.75% is due in the basic rate band, 35.75% in the higher and 39.35% in the additional, without National Insurance. ~ tax-on-dividends
tax for the self-employed ~ On the profit you pay the same income tax as on pay, and Class 4 National Insurance: 6% between £12,570 and £50,270 a year and 2% above. The first £1,000 of trading income a year is free, and selling your own old things is usually no trade. ~ self-employed-national-insurance-rates
contractors' pay ~ An umbrella company takes the employer's National Insurance (15% above £5,000 a year), the apprenticeship levy (0.5%) and its fee out of the day rate first. What is left is your gross pay, taxed like any employee's. ~ guidance/working-through-an-umbrella-company
Construction Industry Scheme deductions ~ The 20% taken from your labour is an advance. A tax return works out income tax and Class 4 National Insurance (6% above £12,570) on the profit after expenses, and the difference comes back. ~ what-is-the-construction-industry-scheme
Capital Gains Tax ~ Gains above £3,000 in a tax year are taxed at 18% in the basic rate band and 24% above. ~ capital-gains-tax/rates
Inheritance Tax ~ The estate pays 40% of what it is worth above £325,000, not the person who inherits; money that you inherit is not income. ~ inheritance-tax
Corporation Tax ~ A company pays 19% of its profit up to £50,000 and 25% above £250,000, with relief in between. ~ corporation-tax-rates
VAT ~ The standard rate is 20%. A business must register above £90,000 of turnover a year. ~ vat-rates
redundancy pay ~ Up to £30,000 of redundancy or other termination pay is free of tax; above that income tax is due, but no employee's National Insurance. Notice and holiday pay are taxed like wages. Statutory redundancy pay, for each full year of service, is half a week's pay below age 22, one week's from 22 and one and a half from 41, for up to 20 years. ~ redundancy-your-rights/redundancy-pay
statutory pay ~ Maternity pay is 90% of your average pay for 6 weeks, then £194.32 a week (or the 90%, if lower) for 33 weeks; paternity pay is £194.32 for up to 2 weeks. Sick pay is £123.25 a week, or 80% of your average pay if that is lower, for up to 28 weeks. All are taxed like wages. ~ guidance/rates-and-thresholds-for-employers-2026-to-2027
pensions in payment ~ A pension is taxed as income, together with pay, above the personal allowance of £12,570, without National Insurance. The full new State Pension is £241.30 a week, £12,547.60 a year. A quarter of what you take from a pot is usually free of tax, and the first payment is often taxed by an emergency code. ~ tax-on-pension
National Insurance record ~ A year counts towards the State Pension from pay of £129 a week with one employer, even where no National Insurance is due. 35 years give the full pension. ~ new-state-pension
Child Benefit ~ It is £27.05 a week for the eldest child and £17.90 for each other. Whoever earns more pays back 1% of it for each £200 of income above £60,000, and all of it from £80,000; pension contributions lower that income. ~ child-benefit-tax-charge
free childcare ~ Tax-Free Childcare and the free hours of working parents end if either parent's income is above £100,000 in the tax year; pension contributions lower that income. ~ tax-free-childcare
Marriage Allowance ~ Who earns less than £12,570 can give £1,260 of the allowance to a husband, wife or civil partner who pays no more than the basic rate. That saves up to £252 a year, and can be claimed for four earlier years. ~ marriage-allowance
company cars and other benefits in kind ~ The benefit is taxed at your income tax rate without employee's National Insurance: for an electric car it is 4% of the list price a year. Pay given up for a bike or a car saves 28% of it at the basic rate and 42% at the higher. ~ tax-company-benefits
rent received ~ The profit is added to your income and taxed at your income tax rate, without National Insurance. The first £1,000 of rent a year is free, or £7,500 from a lodger in your home. ~ renting-out-a-property/paying-tax
tax on savings and investments ~ £1,000 of interest a year is free for a basic rate taxpayer, £500 for a higher rate taxpayer and none for an additional rate one; above that it is taxed at your income tax rate. Shares from an employer are usually taxed like wages when they become yours, but not those of Sharesave. ~ apply-tax-free-interest-on-savings
gift aid ~ Payroll giving is taken before income tax: £10 costs £8 at the basic rate and £6 at the higher. On Gift Aid a higher rate taxpayer claims 20% of the gift with the basic rate added. ~ donating-to-charity
expenses ~ You can claim income tax on the difference between what your employer pays a mile and 45p (25p above 10,000 miles), and on fees of professional bodies and special clothing: 20% of the sum at the basic rate, 40% at the higher. Relief for working from home ended in April 2026. ~ tax-relief-for-employees
tax refunds ~ Tax that PAYE took too much comes back with your pay once your code is right, or after the tax year by a P800. Tax owed is usually taken in parts through the next year's code. If you stop working, form P50 claims it back. ~ claim-tax-refund
when a loan is paid off ~ Plan 1 is written off after 25 years, plans 2 and 4 and the postgraduate loan after 30 and plan 5 after 40. Repayments depend on your pay only, so paying early helps only those who would repay it all. ~ repaying-your-student-loan
the salary for an employer's cost ~ An employer pays 15% of pay above £5,000: add £750 to the cost and divide by 1.15 for the salary, before pension contributions. ~ guidance/rates-and-thresholds-for-employers-2026-to-2027
`;

const thumbs = new Map(
  lines
    .trim()
    .split("\n")
    .map((line): [string, string] => {
      const [name = "", text, path] = line.split(" ~ ");
      return [name, `${text} (2026/27, [source](https://www.gov.uk/${path}))`];
    }),
);

/** What can be said of each subject, and what was not worked out. */
export function sentencesOn(subjects: readonly Subject[]): string[] {
  return subjects.flatMap(({ name, sentence }) => [sentence, thumbs.get(name) ?? ""]).filter(Boolean);
}

export function hasRuleOfThumb({ name }: Subject): boolean {
  return thumbs.has(name);
}
