/**
 * Questions that one person typed in one sitting without knowing the rules, with typing errors and slang. Every figure
 * is checked against an independent calculator.
 */
import { expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";
import { expectFigures } from "../../../testing/figures.ts";
import {
  independentPay as of,
  type IndependentPay as Pay,
  independentSalaryFor as salaryFor,
} from "../../../testing/independent-pay.ts";

const takeHome = (pay: Pay) => of(pay).takeHome;
const incomeTax = (pay: Pay) => of(pay).incomeTax;
const insurance = (pay: Pay) => of(pay).nationalInsurance;
const loan = (pay: Pay) => of(pay).studentLoan;
const employer = (pay: Pay) => of(pay).employerInsurance;
/** Income tax and National Insurance as a percentage, as it is shown. */
const rate = (salary: number) =>
  Number((((incomeTax({ salary }) + insurance({ salary })) / salary) * 100).toFixed(1));
const scottish = true;

const answered: [question: string, ...figures: number[]][] = [
  ["im on 31k what do i actually get paid each month", takeHome({ salary: 31_000 }) / 12],
  ["Whats the take home on £42,500 a year?", takeHome({ salary: 42_500 })],
  ["just been offered 55k, how much will hit my bank account", takeHome({ salary: 55_000 })],
  [
    "earning £11.80 an hour for 37.5 hours a week, what will I take home a month?",
    takeHome({ salary: 23_010 }) / 12,
  ],
  ["I get £14/hr, 40 hrs. weekly pay after tax?", takeHome({ salary: 29_120 }) / 52],
  ["22 quid an hour 30 hours a week after tax", takeHome({ salary: 34_320 })],
  ["day rate £350, 220 days a year, paye. take home?", takeHome({ salary: 77_000 })],
  ["I earn £1,900 a month before tax, what's left", takeHome({ salary: 22_800 })],
  ["how much is 2800 a month after tax", takeHome({ salary: 33_600 })],
  ["£650 per week gross, net please", takeHome({ salary: 33_800 })],
  ["what would i need to earn to take home 3000 a month", salaryFor(36_000)],
  ["Salary needed to clear £2,500/month in Scotland?", salaryFor(30_000, { scottish })],
  ["I want £50k net, what gross salary is that", salaryFor(50_000)],
  ["live in Glasgow, on £38,000, what's my net pay", takeHome({ salary: 38_000, scottish })],
  ["Scottish teacher on 48k whats my take home", takeHome({ salary: 48_000, scottish })],
  [
    "Edinburgh, 80k. Compare with England?",
    takeHome({ salary: 80_000, scottish }),
    takeHome({ salary: 80_000 }),
  ],
  [
    "whats the difference in tax between scotland and england on £45000",
    incomeTax({ salary: 45_000, scottish }),
    incomeTax({ salary: 45_000 }),
  ],
  ["32k in cardiff after tax", takeHome({ salary: 32_000 })],
  ["Northern Ireland 28,500 salary monthly net", takeHome({ salary: 28_500 }) / 12],
  ["i make 65000 and put 5% into my pension, take home?", takeHome({ salary: 65_000, sacrificed: 3_250 })],
  ["£50,000 salary with 8% salary sacrifice pension", takeHome({ salary: 50_000, sacrificed: 4_000 })],
  ["60k with £300 a month into pension by salary sacrifice", takeHome({ salary: 60_000, sacrificed: 3_600 })],
  ["45k, 5% pension relief at source", takeHome({ salary: 45_000, reliefAtSource: 2_250 })],
  [
    "120k salary, how much should I put in my pension to get down to 100k",
    20_000,
    takeHome({ salary: 120_000, sacrificed: 20_000 }),
  ],
  ["How much tax do i pay on £110,000", incomeTax({ salary: 110_000 })],
  ["take home on £125,140", takeHome({ salary: 125_140 })],
  ["what's 150 grand a year monthly after tax", takeHome({ salary: 150_000 }) / 12],
  ["£200k salary after tax and ni", takeHome({ salary: 200_000 }), insurance({ salary: 200_000 })],
  ["250k take home scotland", takeHome({ salary: 250_000, scottish })],
  ["£34k + £3k bonus, take home?", takeHome({ salary: 37_000 })],
  [
    "I'm getting a £5,000 bonus on top of my £48k salary, how much of the bonus do I keep?",
    takeHome({ salary: 53_000 }) - takeHome({ salary: 48_000 }),
  ],
  ["bonus of 10% on 40k - whats left after tax", takeHome({ salary: 44_000 })],
  [
    "my boss offered me a 2 grand bonus i earn 29k how much will i see of it",
    takeHome({ salary: 31_000 }) - takeHome({ salary: 29_000 }),
  ],
  ["10k bonus on 95k salary", takeHome({ salary: 105_000 })],
  [
    "got a rise from 36k to 39k, how much better off am i each month",
    (takeHome({ salary: 39_000 }) - takeHome({ salary: 36_000 })) / 12,
  ],
  [
    "if I go from £48,000 to £53,000 what's the difference in take-home",
    takeHome({ salary: 53_000 }) - takeHome({ salary: 48_000 }),
  ],
  ["is it worth going from 99k to 102k", takeHome({ salary: 102_000 }) - takeHome({ salary: 99_000 })],
  [
    "what does a 4% pay rise on £41,200 give me after tax",
    takeHome({ salary: 42_848 }) - takeHome({ salary: 41_200 }),
  ],
  ["3% raise on 27500", takeHome({ salary: 28_325 }) - takeHome({ salary: 27_500 })],
  ["35k plan 2 student loan take home", takeHome({ salary: 35_000, plans: [2] })],
  ["£30,000 on plan 5", takeHome({ salary: 30_000, plans: [5] })],
  ["plan 1 loan, 33k, net monthly", takeHome({ salary: 33_000, plans: [1] }) / 12],
  ["52k with plan 2 and postgrad loan", takeHome({ salary: 52_000, plans: [2, "postgrad"] })],
  ["I'm Scottish w/ plan 4 on 40k", takeHome({ salary: 40_000, scottish, plans: [4] })],
  ["how much student loan will i pay on 45k? plan 2", loan({ salary: 45_000, plans: [2] })],
  ["When do I start repaying my plan 2 loan?", 29_385],
  ["student loan repayments on £28,000 plan 1", loan({ salary: 28_000, plans: [1] })],
  ["how much ni do i pay on 37,000", insurance({ salary: 37_000 })],
  ["National Insurance on 60k please", insurance({ salary: 60_000 })],
  ["whats my income tax on 51k", incomeTax({ salary: 51_000 })],
  ["what rate of tax do I pay on 70k", rate(70_000)],
  ["What's my marginal rate at £105,000?", 62],
  ["effective tax rate on 85k?", rate(85_000)],
  ["what percentage of my salary goes in tax at 30k", rate(30_000)],
  ["How much does it cost my employer to pay me £40,000?", 40_000 + employer({ salary: 40_000 })],
  ["total cost to hire someone at 28k", 28_000 + employer({ salary: 28_000 })],
  ["employers NI on 35000", employer({ salary: 35_000 })],
  ["two jobs, 20k and 15k, total take home", takeHome({ salary: 20_000, otherJobs: [15_000] })],
  [
    "I've got 2 jobs: one pays £12,000 and the other £9,000. what tax will i pay?",
    incomeTax({ salary: 21_000 }),
  ],
  [
    "main job 35k, weekend job £150 a week. how much of the second do I keep",
    takeHome({ salary: 35_000, otherJobs: [7_800] }) - takeHome({ salary: 35_000 }),
  ],
  ["second job paying 8k on top of 45k", takeHome({ salary: 45_000, otherJobs: [8_000] })],
  [
    "I earn 40k and my wife earns 25k, what's our household take home",
    takeHome({ salary: 40_000 }) + takeHome({ salary: 25_000 }),
  ],
  ["me 55k partner 32k joint net income", takeHome({ salary: 55_000 }) + takeHome({ salary: 32_000 })],
  [
    "which is better, 45k in England or 47k in Scotland?",
    takeHome({ salary: 45_000 }),
    takeHome({ salary: 47_000, scottish }),
  ],
  ["50k vs 55k", takeHome({ salary: 50_000 }), takeHome({ salary: 55_000 })],
  [
    "60k with 10% pension or 60k with 3% pension",
    takeHome({ salary: 60_000, sacrificed: 6_000 }),
    takeHome({ salary: 60_000, sacrificed: 1_800 }),
  ],
  [
    "compare £38k with 5% pension and £40k with none",
    takeHome({ salary: 38_000, sacrificed: 1_900 }),
    takeHome({ salary: 40_000 }),
  ],
  [
    "is 26k or 13 pound an hour at 40 hours better?",
    takeHome({ salary: 26_000 }),
    takeHome({ salary: 27_040 }),
  ],
  ["£28k full time but I'm doing 3 days a week, what do i take home", takeHome({ salary: 16_800 })],
  ["40k pro rata 0.6 fte", takeHome({ salary: 24_000 })],
  [
    "37k for 4 days instead of 5, how much less would i get",
    takeHome({ salary: 37_000 }) - takeHome({ salary: 29_600 }),
  ],
  ["32 hours on £15.50 an hour", takeHome({ salary: 25_792 })],
  ["minimum wage 40 hours a week take home", takeHome({ salary: 26436.8 })],
  ["What is £18 an hour as a salary", takeHome({ salary: 35_100 })],
  ["whats 45k as an hourly rate", takeHome({ salary: 45_000 }) / 1_950, 45_000 / 1_950],
  ["how much is £27,000 a year per week after tax", takeHome({ salary: 27_000 }) / 52],
  ["how much per day is 36k after tax", takeHome({ salary: 36_000 }) / 260],
  ["i earn 30k and did 200 pounds overtime this month what will i take home", takeHome({ salary: 30_200 })],
  ["34k plus £4,800 car allowance", takeHome({ salary: 38_800 })],
  // Once in the year, and the answer says so.
  ["overtime 10 hours at £20 an hour on top of 2400 a month", takeHome({ salary: 28_800, extra: 200 })],
  ["car allowance of £500 a month on 58k, how much after tax", takeHome({ salary: 64_000 })],
  ["I earn 43k, my rent is £1,100 a month, what's left", takeHome({ salary: 43_000 }) / 12 - 1_100],
  ["take home on 29k minus 750 rent and 120 council tax", takeHome({ salary: 29_000 }) / 12 - 870],
  ["£36,000 salary, bills 1400 a month, how much can I save", takeHome({ salary: 36_000 }) / 12 - 1_400],
  ["my rent is half my take home and i earn 30k, how much is my rent", takeHome({ salary: 30_000 }) / 24],
  ["what's a third of my net pay on £39k", takeHome({ salary: 39_000 }) / 36],
  ["can i afford £900 rent on 25k", takeHome({ salary: 25_000 }) / 12 - 900],
  ["I'm on 47k, save 20% of my take home, how much is that a month?", takeHome({ salary: 47_000 }) / 60],
  ["I spend 40% of my net on rent, salary is £52k", (takeHome({ salary: 52_000 }) * 0.4) / 12],
  ["my tax code is 1100L and I earn 35k", takeHome({ salary: 35_000, allowance: 11_000 })],
  ["tax code K475, 40k", takeHome({ salary: 40_000, allowance: -4_750 })],
  ["0T emergency tax on £2,000 a month", incomeTax({ salary: 24_000, allowance: 0 })],
  ["what is the personal allowance", 12_570],
  ["whats the higher rate threshold this year", 50_270],
  ["when does the 40% tax kick in", 50_270],
  ["I'm 67 and still working on 30k, do I pay NI?", 0],
  ["over state pension age, 24k salary", takeHome({ salary: 24_000, noInsurance: true })],
  ["dividends of £10,000 on top of 40k salary", takeHome({ salary: 40_000 })],
  ["what did I take home on 40k last year", takeHome({ salary: 40_000 })],
  ["take home on £33,000 in 2024/25", takeHome({ salary: 33_000 })],
  ["tax on 50k in 2025-26", incomeTax({ salary: 50_000 })],
  ["marriage allowance on 22k", takeHome({ salary: 22_000 })],
  ["blind persons allowance 30k", takeHome({ salary: 30_000 })],
  ["I get 2 grand a month into my bank. whats my salary?", salaryFor(24_000)],
  ["I take home £2,150 a month, what is my gross?", salaryFor(25_800)],
  ["net £600 a week what annual salary", salaryFor(31_200)],
  ["4 weekly pay of £2,200, what do i get", takeHome({ salary: 28_600 })],
  ["paid fortnightly £1,150 gross", takeHome({ salary: 29_900 })],
  ["35k/yr monthly", takeHome({ salary: 35_000 }) / 12],
  ["£35.5k", takeHome({ salary: 35_500 })],
  ["3.2k per month gross", takeHome({ salary: 38_400 })],
  ["twenty eight thousand pounds", takeHome({ salary: 28_000 })],
  ["thirty-five k take home", takeHome({ salary: 35_000 })],
  ["salery of 31500 wat is my takehom pay", takeHome({ salary: 31_500 })],
  ["HOW MUCH TAX ON 44000", incomeTax({ salary: 44_000 })],
  [
    "Hi! Could you please tell me what I'd take home if my annual salary were £61,250 and I paid 6% into my workplace pension? Thanks so much",
    takeHome({ salary: 61_250, sacrificed: 3_675 }),
  ],
  [
    "I have a salary of 72000, pension 7%, plan 2 loan, live in Scotland. What's left each month?",
    takeHome({ salary: 72_000, scottish, plans: [2], sacrificed: 5_040 }) / 12,
  ],
  ["£46k, 5% pension, student loan", takeHome({ salary: 46_000, sacrificed: 2_300 })],
  ["75k with company car bik of 6000", takeHome({ salary: 75_000 })],
  ["I earn 38k and pay £50 a month union fees and £200 childcare vouchers", takeHome({ salary: 38_000 })],
  ["£100k with two kids, do i lose free childcare", takeHome({ salary: 100_000 })],
  ["40k take home", takeHome({ salary: 40_000 })],
  ["40k take home → and in scotland?", takeHome({ salary: 40_000, scottish })],
  [
    "40k take home → and in scotland? → with 5% pension",
    takeHome({ salary: 40_000, scottish, sacrificed: 2_000 }),
  ],
  ["what's 33k after tax?", takeHome({ salary: 33_000 })],
  ["what's 33k after tax? → per week?", takeHome({ salary: 33_000 }) / 52],
  [
    "what's 33k after tax? → per week? → what if i got 2k more",
    takeHome({ salary: 35_000 }) - takeHome({ salary: 33_000 }),
  ],
  ["£60,000", takeHome({ salary: 60_000 })],
  ["£60,000 → what about with a plan 2 loan?", takeHome({ salary: 60_000, plans: [2] })],
  [
    "£60,000 → what about with a plan 2 loan? → and without the loan but 10% pension",
    takeHome({ salary: 60_000, sacrificed: 6_000 }),
  ],
  ["take home on 27k", takeHome({ salary: 27_000 })],
  ["take home on 27k → rent is 800, what's left", takeHome({ salary: 27_000 }) / 12 - 800],
  [
    "take home on 27k → rent is 800, what's left → and if I earned 30k?",
    takeHome({ salary: 30_000 }) / 12 - 800,
  ],
  ["38k vs 42k", takeHome({ salary: 38_000 }), takeHome({ salary: 42_000 })],
  [
    "38k vs 42k → in scotland?",
    takeHome({ salary: 38_000, scottish }),
    takeHome({ salary: 42_000, scottish }),
  ],
  ["how much tax on 52k", incomeTax({ salary: 52_000 })],
  ["I earn 45k.", takeHome({ salary: 45_000 })],
  ["I earn 45k. → what about NI only?", insurance({ salary: 45_000 })],
  ["im 23 on an apprenticeship at 8 quid an hour 37 hours, take home?", takeHome({ salary: 15_392 })],
  ["£0 salary", 0],
  ["1 million pounds a year after tax", takeHome({ salary: 1_000_000 })],
  ["12570 a year", 12_570],
];

test.each(answered)("%s", async (question, ...figures) => {
  await expectFigures(question, figures);
});

/** Asked back, explained or declined, each in words that say which part. */
const replies: [question: string, says: RegExp][] = [
  ["I get £11,500 state pension and earn 10k", /can't work out a pension in payment.*\(£11,500\)/],
  ["if my employer has 50000 budget including employer ni what salary can they pay", /“budget”/],
  ["would we be better off both on 30k or one on 60k", /two households/],
  ["what does tax code 1257L mean", /free of tax/],
  ["What does BR tax code mean?", /basic rate of 20%/],
  ["what does gross pay mean", /before anything is taken out/],
  ["whats the difference between net and gross", /What is left of your pay/],
  ["what does salary sacrifice mean", /lower salary/],
  ["what's national insurance for", /State Pension/],
  ["what is relief at source?", /claims basic-rate tax back/],
  ["self employed profit 40k how much tax", /self-employed/],
  ["i'm a sole trader making 30k", /self-employed/],
  ["sold shares with 20k gain tax?", /Capital Gains Tax/],
  ["50k in 2027/28", /rates for \*\*2027\/28/],
  ["what was the personal allowance in 2015", /rates for \*\*2015\/16/],
  ["what is the weather in leeds", /“weather”/],
  ["write me a poem about tax", /“write” and “poem”/],
  ["who are you", /built-in calculator/],
  ["are you chatgpt", /not an AI model/],
  ["can you help me hide income from hmrc", /don't advise on paying less tax/],
  ["thanks!", /welcome/],
  ["hello", /^Hello!/],
  ["how much tax on 52k → how much of that is 40%", /“40%”/],
  ["how much tax on 52k → how can i pay less tax", /don't advise on paying less tax/],
  ["I earn 45k. → how did you work that out", /published rates/],
  ["nurse band 5 salary take home", /pay bands/],
  ["average uk salary after tax", /average salaries/],
  ["-5000 salary take home", /below £0/],
];

test.each(replies)("%s", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
  expect(text).toMatch(says);
});
