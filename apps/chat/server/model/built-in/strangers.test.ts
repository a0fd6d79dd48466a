/**
 * Questions of people who do not know the rules, checked against an independent calculator. No answer may be wrong, and
 * at most 15% of the questions may be declined or asked back.
 */
import { expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";
import { expectFigures } from "../../../testing/figures.ts";
import {
  independentSalaryFor,
  type IndependentPay as Pay,
  independentPay as pay,
} from "../../../testing/independent-pay.ts";

const scottish = true;

type Row = [question: string, ...figures: number[]];
const takeHome = (question: string, of: Pay, perYear = 1): Row => [question, pay(of).takeHome / perYear];
const incomeTax = (question: string, of: Pay): Row => [question, pay(of).incomeTax];
const insurance = (question: string, of: Pay): Row => [question, pay(of).nationalInsurance];
const loan = (question: string, of: Pay): Row => [question, pay(of).studentLoan];
const employer = (question: string, of: Pay): Row => [question, pay(of).employerInsurance];
const both = (question: string, one: Pay, other: Pay): Row => [
  question,
  pay(one).takeHome,
  pay(other).takeHome,
];
const kept = (question: string, one: Pay, other: Pay): Row => [
  question,
  pay(other).takeHome - pay(one).takeHome,
];
const together = (question: string, one: Pay, other: Pay): Row => [
  question,
  pay(one).takeHome + pay(other).takeHome,
];
const salaryFor = (question: string, net: number, of: Omit<Pay, "salary"> = {}): Row => [
  question,
  independentSalaryFor(net, of),
];

const answered: Row[] = [
  takeHome("whats 28k after tax", { salary: 28_000 }),
  takeHome("how much will i take home on 32,500", { salary: 32_500 }),
  takeHome("im on 52k what do i get each month", { salary: 52_000 }, 12),
  takeHome("£1,900 a month before tax, what do I end up with?", { salary: 22_800 }),
  takeHome("take home pay for 23500 salery", { salary: 23_500 }),
  takeHome("25 grand a year how much per week", { salary: 25_000 }, 52),
  takeHome("wot will i take home if im on 29k", { salary: 29_000 }),
  takeHome("gross 31,250 net?", { salary: 31_250 }),
  takeHome("net pay on 41.5k", { salary: 41_500 }),
  takeHome("75k gross to net", { salary: 75_000 }),
  takeHome("a hundred grand in england", { salary: 100_000 }),
  takeHome("thirty five thousand pounds a year", { salary: 35_000 }),
  takeHome("how much is 50 grand in my pocket", { salary: 50_000 }),
  takeHome("£0.05m salary", { salary: 50_000 }),
  takeHome("fourty five thousand", { salary: 45_000 }),
  takeHome("what is my take home on 150k", { salary: 150_000 }),
  takeHome("1 million", { salary: 1_000_000 }),
  takeHome("0", { salary: 0 }),
  takeHome("how much is 42,500 p/m after tax", { salary: 42_500 }, 12),
  takeHome("45k pm", { salary: 45_000 }, 12),
  takeHome("45000 monthly", { salary: 45_000 }, 12),
  takeHome("convert 45k to monthly", { salary: 45_000 }, 12),
  takeHome("what's 36k as a weekly wage after tax", { salary: 36_000 }, 52),
  takeHome("50k a year hourly rate", { salary: 50_000 }, 1_950),
  takeHome("£45k is how much an hour at 40 hours a week", { salary: 45_000 }, 2_080),
  takeHome("£600 a week", { salary: 31_200 }),
  takeHome("what is 2800 a month a year", { salary: 33_600 }),
  takeHome("fortnightly pay of 1250", { salary: 32_500 }),
  takeHome("£1,600 every 4 weeks", { salary: 20_800 }),
  takeHome("earning 1800 pcm what's deducted", { salary: 21_600 }),
  incomeTax("i get paid weekly £520 how much tax", { salary: 27_040 }),
  takeHome(
    "if i get paid £14.20 an hour and work 35 hours a week what's my monthly take home",
    { salary: 25_844 },
    12,
  ),
  takeHome("whats my wage after tax if i earn 13.50 an hour doing 37 and a half hours", { salary: 26_325 }),
  takeHome("im on £11.80ph 25hrs pw", { salary: 15_340 }),
  takeHome("£17.25/hr full time", { salary: 33_637.5 }),
  takeHome("£11.44 an hour 20 hours", { salary: 11_897.6 }),
  takeHome("annual salary for 18.50 an hour", { salary: 36_075 }),
  takeHome("£220 a day, 4 days a week", { salary: 45_760 }),
  takeHome("£150 a day 3 days a week 46 weeks a year", { salary: 20_700 }),
  takeHome("day rate £300 paye 220 days a year", { salary: 66_000 }),
  takeHome("what salary is £200 a day", { salary: 52_000 }),
  takeHome("minimum wage 40 hours a week", { salary: 26_436.8 }),
  takeHome("minimum wage at 19 for 30 hours", { salary: 16_926 }),
  takeHome("16 hours at minimum wage", { salary: 10_574.72 }),
  takeHome("apprentice minimum wage 37 hours", { salary: 15_392 }),
  takeHome("minimum wage 2025/26 40 hours", { salary: 25_396.8, taxYear: "2025/26" }),
  takeHome("45k full time but doing 3 days a week", { salary: 27_000 }),
  takeHome("35k pro rata 0.6", { salary: 21_000 }),
  takeHome("£40,000 FTE 0.8", { salary: 32_000 }),
  takeHome("24 hours instead of 37.5 on 29k", { salary: 18_560 }),
  takeHome("if i drop to 4 days on 52k", { salary: 41_600 }),
  takeHome("pro rata 28,000 for 22.5 hours out of 37.5", { salary: 16_800 }),
  incomeTax("what's the tax on 100k", { salary: 100_000 }),
  incomeTax("I make £3200 per month, what tax do I pay", { salary: 38_400 }),
  incomeTax("earning 12k a year do I pay tax", { salary: 12_000 }),
  incomeTax("how much tax will i pay this year on 33k", { salary: 33_000 }),
  incomeTax("what was the tax on 38k in 2025", { salary: 38_000, taxYear: "2025/26" }),
  incomeTax("scotish tax on 60k", { salary: 60_000, scottish }),
  incomeTax("two part time jobs 12k and 11k tax", { salary: 12_000, otherJobs: [11_000] }),
  insurance("how much national insurance would I pay on 18000", { salary: 18_000 }),
  insurance("how much ni do i pay on 4189 a month", { salary: 50_268 }),
  insurance("nationl insurence on 28k", { salary: 28_000 }),
  employer("cost to employ someone on 30k", { salary: 30_000 }),
  employer("how much does it cost my boss to pay me 26k", { salary: 26_000 }),
  employer("employers NI on 50000", { salary: 50_000 }),
  employer("what would my employer pay in total for me on 45k", { salary: 45_000 }),
  employer("employer cost 60k with 5% pension salary sacrifice", { salary: 60_000, sacrificed: 3_000 }),
  ["120k marginal tax rate", 62],
  ["marginal rate on 105000 in scotland", 69.5],
  ["what percentage of 60k goes in tax", 24.4],
  ["effective tax on 35k", 17.9],
  ["what tax bracket am i in on 48k", 35_430],
  ["what tax band is 130k", 4_860],
  ["am i a higher rate tax payer in scotland on 44k", 338],
  ["do i pay 40% on everything if i earn 51000", 730],
  ["personal allowance on 115k", 5_070],
  ["how much tax free allowance do i get on 108,000", 8_570],
  ["what's my personal allowance if I earn 126k", 0],
  takeHome("I earn 27k with plan 5", { salary: 27_000, plans: [5] }),
  takeHome("42k with plan 2 and postgrad loan take home", { salary: 42_000, plans: [2, "postgrad"] }),
  takeHome("I earn 55k and have a plan 1 and plan 2 loan", { salary: 55_000, plans: [1, 2] }),
  takeHome("stduent loan plan 2 45k", { salary: 45_000, plans: [2] }),
  loan("do i pay back my student loan on 24k plan 5", { salary: 24_000, plans: [5] }),
  loan("how much student loan plan 4 do I pay on 41k in scotland", { salary: 41_000, plans: [4] }),
  loan("do i repay student loan if i earn 27000 on plan 2", { salary: 27_000, plans: [2] }),
  loan("student loan repayments on 33k", { salary: 33_000, plans: [2] }),
  takeHome("90k salary after tax and student loan (plan 2) and 6% pension", {
    salary: 90_000,
    plans: [2],
    sacrificed: 5_400,
  }),
  takeHome("salary 38k, pension 8%, student loan plan 1", { salary: 38_000, plans: [1], sacrificed: 3_040 }),
  takeHome("50k with 10% pension", { salary: 50_000, sacrificed: 5_000 }),
  takeHome("50k with 5% pension by relief at source", { salary: 50_000, reliefAtSource: 2_500 }),
  takeHome("60k, £300 a month into my pension by salary sacrifice", { salary: 60_000, sacrificed: 3_600 }),
  takeHome("60k and I pay £200 a month into a SIPP", { salary: 60_000, reliefAtSource: 2_400 }),
  takeHome("110k but sacrificing 10k into pension", { salary: 110_000, sacrificed: 10_000 }),
  takeHome("put 12k in pension from 112k salary", { salary: 112_000, sacrificed: 12_000 }),
  takeHome("my employer puts 3% in my pension and I put in 5%, salary 31k", {
    salary: 31_000,
    sacrificed: 1_550,
  }),
  takeHome("salary 48000, 4% employee pension, 6% employer pension", { salary: 48_000, sacrificed: 1_920 }),
  takeHome("NHS pension 9.8% on 35k", { salary: 35_000, netPay: 3_430 }),
  takeHome("70,000 salary minus 7,000 pension", { salary: 70_000, sacrificed: 7_000 }),
  takeHome("29k no pension", { salary: 29_000 }),
  takeHome("40k plus 6k bonus", { salary: 40_000, extra: 6_000 }),
  takeHome("bonus of 15% on 50k", { salary: 50_000, extra: 7_500 }),
  takeHome("32k base plus £400 a month car allowance", { salary: 32_000, extra: 4_800 }),
  takeHome("30k and 200 a month overtime", { salary: 30_000, extra: 2_400 }),
  takeHome("28k salary with 5 hours overtime a week at £18 an hour", { salary: 28_000, extra: 4_680 }),
  takeHome("commission of 12k on a basic of 22k", { salary: 22_000, extra: 12_000 }),
  takeHome("35k inc london weighting of 4k", { salary: 35_000 }),
  takeHome("62k and a £5,500 car allowance plus 12% bonus", { salary: 62_000, extra: 12_940 }),
  kept("what will I keep of a 10k bonus on 60k salary", { salary: 60_000 }, { salary: 70_000 }),
  kept("how much of my £2,000 bonus will i actually get on 38k", { salary: 38_000 }, { salary: 40_000 }),
  kept("is it worth taking a 3k pay rise at 49k", { salary: 49_000 }, { salary: 52_000 }),
  kept("pay rise from 31k to 34k how much extra a month", { salary: 31_000 }, { salary: 34_000 }),
  kept("5% raise on 40k", { salary: 40_000 }, { salary: 42_000 }),
  kept("i got a 2.5% pay increase, i'm on 36,400", { salary: 36_400 }, { salary: 37_310 }),
  kept("what if i earned 5k more than 47k", { salary: 47_000 }, { salary: 52_000 }),
  both("45k to 38k pay cut", { salary: 45_000 }, { salary: 38_000 }),
  both("what's the difference between 40k and 45k", { salary: 40_000 }, { salary: 45_000 }),
  both("compare 30k in england and scotland", { salary: 30_000 }, { salary: 30_000, scottish }),
  both("is 60k in London better than 55k in Edinburgh", { salary: 60_000 }, { salary: 55_000, scottish }),
  both(
    "take home on 40k in 2024/25 vs 2026/27 in Scotland",
    { salary: 40_000, scottish, taxYear: "2024/25" },
    { salary: 40_000, scottish },
  ),
  both("if i go from 49k to 51k will i be worse off", { salary: 49_000 }, { salary: 51_000 }),
  together(
    "me and my wife earn 45k and 25k, what's our joint take home",
    { salary: 45_000 },
    { salary: 25_000 },
  ),
  together("husband on 55k, I'm on 22k, household net", { salary: 55_000 }, { salary: 22_000 }),
  together("we both earn 33k what do we take home together", { salary: 33_000 }, { salary: 33_000 }),
  together("me 41k, her 37k, joint after tax", { salary: 41_000 }, { salary: 37_000 }),
  takeHome("second job paying 6k on top of my 28k", { salary: 28_000, otherJobs: [6_000] }),
  takeHome("2nd job 5k on top of 31k main job", { salary: 31_000, otherJobs: [5_000] }),
  takeHome("full time 30k and weekend bar work 80 a week", { salary: 30_000, otherJobs: [4_160] }),
  takeHome("I have 3 jobs 9k 8k and 7k", { salary: 9_000, otherJobs: [8_000, 7_000] }),
  ["BR tax code second job 10k", 8_000],
  takeHome("main job 35k, weekend job 4k", { salary: 35_000, otherJobs: [4_000] }),
  salaryFor("I earn £2,350 a month after tax, what's my gross?", 28_200),
  salaryFor("£2,350 a month after tax and NI what salary is that", 28_200),
  salaryFor("I bring home £2,100 a month, what is my salary?", 25_200),
  salaryFor("I take home £450 a week", 23_400),
  together(
    "I earn £25k in England and my partner earns £31k in Scotland",
    { salary: 25_000 },
    { salary: 31_000, scottish },
  ),
  takeHome("salary: 44000 bonus: 6000 pension: 5%", {
    salary: 44_000,
    extra: 6_000,
    sacrificed: 2_200,
  }),
  both(
    "My employer offers £55k or £52k plus 8% employer pension. Which leaves me with more money?",
    { salary: 55_000 },
    { salary: 52_000 },
  ),
  salaryFor("I want to take home 2500 a month, what salary do I need", 30_000),
  salaryFor("what gross salary gives 4000 net per month", 48_000),
  salaryFor("how much do i need to earn to clear 50k after tax", 50_000),
  salaryFor("net 3,200 monthly what's the gross", 38_400),
  salaryFor("I take home 2,400 a month what is my salary", 28_800),
  salaryFor("gross for 30k net in scotland with plan 4", 30_000, { scottish, plans: [4] }),
  takeHome("I'm 70 and earn 20k", { salary: 20_000, noInsurance: true }),
  takeHome("over state pension age with salary of 28k", { salary: 28_000, noInsurance: true }),
  takeHome("northern ireland 36k after tax", { salary: 36_000 }),
  takeHome("i live in scotland and work in england, 40k", { salary: 40_000, scottish }),
  takeHome("£900 a week in scotland with plan 4", { salary: 46_800, scottish, plans: [4] }),
  takeHome("33k + 3k bonus + 5% pension + plan 2 in scotland", {
    salary: 33_000,
    extra: 3_000,
    sacrificed: 1_650,
    scottish,
    plans: [2],
  }),
  ["salary of 80k and rent of 1500 pm", pay({ salary: 80_000 }).takeHome / 12 - 1_500],
  ["after a 900 mortgage what's left from 34k", pay({ salary: 34_000 }).takeHome / 12 - 900],
  ["48k mortgage 950 council tax 180 bills 300 what's left", pay({ salary: 48_000 }).takeHome / 12 - 1_430],
  takeHome("38k salary, kids 2, married", { salary: 38_000 }),
  takeHome("55k with company car", { salary: 55_000 }),
  takeHome("45k with 10k rental income", { salary: 45_000 }),
  takeHome("salary 36k less union fees 20 a month", { salary: 36_000 }),
  takeHome("i earn 45k, my dog costs 100 a month", { salary: 45_000 }),
  kept(
    "Hiya, just been offered 43k, currently on 39.5k, what difference will it make per month?",
    { salary: 39_500 },
    { salary: 43_000 },
  ),
  takeHome("i'm thinking of going down to 3 days from 5 on my 41k", { salary: 24_600 }),
  takeHome("take home after 5% pension and plan 2 on 38k in wales 2025/26", {
    salary: 38_000,
    plans: [2],
    sacrificed: 1_900,
    taxYear: "2025/26",
  }),
  takeHome("salary:45000 pension:5% loan:plan2 region:scotland", {
    salary: 45_000,
    plans: [2],
    sacrificed: 2_250,
    scottish,
  }),
  takeHome("born in 1955 earning 30k", { salary: 30_000, noInsurance: true }),
  takeHome("£20ph 3 days a week", { salary: 23_400 }),
  takeHome("20k basic 15k commission", { salary: 20_000, extra: 15_000 }),
  both("what's £14/hr at 40hrs vs 30k salary", { salary: 29_120 }, { salary: 30_000 }),
  both(
    "increase pension from 5% to 8% on 50k",
    { salary: 50_000, sacrificed: 2_500 },
    { salary: 50_000, sacrificed: 4_000 },
  ),
  both("70k job in Glasgow or 68k in Leeds", { salary: 70_000, scottish }, { salary: 68_000 }),
  both("45k in england and 45k in scotland", { salary: 45_000 }, { salary: 45_000, scottish }),
  kept("my pay is going up 4% from 31k", { salary: 31_000 }, { salary: 32_240 }),
  takeHome("pay me 200 a day for 4 days a week, 44 weeks", { salary: 35_200 }),
  employer("employer NI 2024/25 on 38k", { salary: 38_000, taxYear: "2024/25" }),
  loan("is 30k above the student loan threshold for plan 5", { salary: 30_000, plans: [5] }),
  takeHome("I have 30k salary and 2k savings interest", { salary: 30_000 }),
  takeHome("45k salary in scotland, not england", { salary: 45_000, scottish }),
  ["how much tax do I pay on a 5k bonus on 60k", 2_000],
  ["what NI is taken from a 2k bonus on 30k", 160],
  ["how much tax on a £1,000 rise at 45k", 200],
  kept("how much more would I take home at 55k than 50k", { salary: 50_000 }, { salary: 55_000 }),
  both("plan 2 vs plan 5 on 35k", { salary: 35_000, plans: [2] }, { salary: 35_000, plans: [5] }),
  both(
    "45k vs 45k in scotland with plan 4",
    { salary: 45_000, plans: [4] },
    { salary: 45_000, plans: [4], scottish },
  ),
  takeHome("10% goes to pension on 50k", { salary: 50_000, sacrificed: 5_000 }),
  takeHome("what about 8% going into my pension on 40k", { salary: 40_000, sacrificed: 3_200 }),
  takeHome("8% net pay pension on 40k", { salary: 40_000, netPay: 3_200 }),
];

/** Declined, or asked back, each in words that say which part. */
const declined: [question: string, says: RegExp][] = [
  ["£250 a day contractor", /contractor's pay/],
  ["i'm self employed making 30k", /self-employed/],
  ["limited company director 50k", /limited or umbrella company/],
  ["vat on 40k turnover", /VAT/],
  ["capital gains on 20k profit", /Capital Gains Tax/],
  ["inherited 50k how much tax", /Inheritance Tax/],
  ["redundancy payment of 40k", /redundancy pay/],
  ["50k in dubai", /outside the UK/],
  ["$80,000 after tax", /pounds sterling/],
  ["take home on 40k in 2022/23", /rates for \*\*2022\/23/],
  ["30k next year", /rates for \*\*2027\/28/],
  ["retired with pension of 18k", /pension in payment/],
  ["2500", /a month or a year\?/],
  ["my base is 40 and bonus is 10", /£40/],
  ["how much tax on lottery win of 100k", /£100,000/],
  ["I take home £3,000 a month. What would I take home if I earned £10k more?", /Is £3,000 the salary/],
  ["how much tax does elon musk pay", /“elon musk”/],
  ["what's 20% of 45k", /“20%”/],
  ["asdfghjkl", /didn't understand/],
];

test.each(answered)("%s", async (question, ...figures) => {
  await expectFigures(question, figures);
});

test.each<[question: string, says: RegExp]>([
  ["Is 30k good", /I can't judge whether that is enough/],
  ["is 60k enough to live on in Manchester", /I can't judge whether that is enough/],
  ["5k goes to rent, 45k salary", /I left the rent of £5,000 out: say whether it is for a month or a year/],
])("%s: says what it leaves out", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool).toBe("take_home");
  expect(text).toMatch(says);
});

test.each(declined)("%s: declined or asked", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
  expect(text).toMatch(says);
});

test("at most 15% are declined", () => {
  expect(answered.length + declined.length).toBeGreaterThanOrEqual(150);
  expect(declined.length / (answered.length + declined.length)).toBeLessThanOrEqual(0.15);
});
