/** What is asked is answered, or named as left out: not another thing that the message names too. */
import { describe, expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";

type Row = [question: string, owed: RegExp, never?: RegExp];

const explained: Row[] = [
  ["what is 0T on my payslip", /no P45/, /statement with each payment/],
  ["what does 0T mean on my payslip? new job since june", /no P45/, /statement with each payment/],
  ["what does payslip mean", /statement with each payment/],
  ["what is adjusted net income", /Gift Aid/, /What is left of your pay/],
  ["how is my adjusted net income calculated", /Gift Aid/, /What is left of your pay/],
  ["there is a minus amount of tax on my payslip, why", /paid back/, /statement with each payment/],
  ["why is the tax on my payslip negative", /paid back/, /statement with each payment/],
  ["tax is minus 80 on my payslip, why", /paid back/, /can't be below/],
  ["is the government going to raise national insurance", /can't tell/, /A deduction from pay/],
  ["will the chancellor cut income tax next year", /can't tell/, /A tax on what you earn/],
  ["is salary sacrifice being scrapped", /April 2029/],
  ["can i still use salary sacrifice", /April 2029/],
  ["what is salary sacrifice", /lower salary/, /2029/],
  ["will paying into a pension reduce my student loan repayments", /By salary sacrifice yes/],
  ["marriage allowance or married couple's allowance, which is which", /1935/],
  ["is a payslip saying 2,900 net right for someone on 50k", /./, /statement with each payment/],
  ["how big a pension pot do i need", /./, /25%/],
  ["is a pension pot of 400k enough to retire at 62", /./, /268,275/],
];

function check(rows: Row[]): void {
  test.each(rows)("%s", async (question, owed, never) => {
    const { text } = await asked(question);
    expect(text).toMatch(owed);
    if (never) expect(text).not.toMatch(never);
  });
}

describe("the term that is asked for is explained, not another one", () => check(explained));

const roles: Row[] = [
  ["55k salary and 12k of RSUs vesting this year, what tax", /RSUs £12,000\) income tax is \*\*£14,232/],
  ["i earn 60k and got 1,200 of interest, what tax do i owe", /\*\*£280\*\*/, /loan/],
  ["loan of 8k interest 9%", /loan is paid off/],
  ["take home on a clergy stipend of 29,500", /\*\*£24,759\.60/, /free of tax/],
  ["phd stipend 20,780", /stipends/],
  ["14 hours a week at £13 and carer's allowance, any tax", /Carer's Allowance out.*taxable/s],
  ["sole director, salary of 12,570 or 6,500", /Corporation Tax/, /leaves/],
  ["sickness pay on 480 a week", /\*\*£123\.25 a week/, /take home/],
  ["£14 an hour for 10 hours a week beside a full time job, what national insurance", /On £7,280 /],
  ["cab driver, takings of 41,000 and expenses of 12,000, what tax do i pay", /\*\*£4,271\.80/],
  ["umbrella inside ir35, £400 a day for 225 days, what is left", /\*\*£55,476\.01 a year/, /week\*\*/],
  ["umbrella inside ir35, £400 a day, 5 days a week", /\*\*£1,202\.04 a week/],
  ["£12.90 an hour, 40 hours a week, £260 a month accommodation deduction, take home", /\*\*£1,643\.22/],
  [
    "on 28k they deduct accommodation £250 a month and it was less than i was told",
    /After the accommodation/,
  ],
  ["what does a 40k salary with 5% pension cost the employer", /\*\*£5,250\*\*.*£2,000 a year on top/s],
  ["what do i cost my employer on 40k if i sacrifice 5% into my pension", /£2,000 into the pension/],
  ["nurse on 36k with 9.8% pension, take home a month", /\*\*£2,218\.10/, /job does not change/],
  ["plumber on 36k with 5% pension, take home", /salary sacrifice/, /job does not change/],
];

describe("each amount has the role that its words give it", () => check(roles));

const figures: Row[] = [
  ["what is taken for plan 2 on 42k", /repayments are \*\*£1,135\.35/],
  ["how much is deducted for the postgraduate loan on 39k", /repayments are \*\*£1,080/],
  ["bonus of 3k on top of 35k, what is left?", /you keep \*\*£2,160/],
  [
    "4% from me and 4% from my employer on 40k, how much goes into the pension each month",
    /\*\*£266\.67 a month\*\*/,
    /take home/,
  ],
  [
    "qualifying earnings, 5% me and 3% employer, salary 30,000, what goes into the pension a month",
    /\*\*£158\.40 a month\*\*.*£6,240/s,
    /take home/,
  ],
  ["how is tax taken from a state pension without other income", /Simple Assessment/],
  ["can we get a mortgage of £250,000 on 52k", /can't tell whether a lender/],
  ["ni threshold per month and per week", /£1,048 a month.*£417 a month/],
  ["what salary for 3,000 a month net in england and scotland", /for England\. I left Scotland out/],
];

describe("the figure that is asked for leads", () => check(figures));
