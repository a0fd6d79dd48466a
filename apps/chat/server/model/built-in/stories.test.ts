/**
 * Questions with a story around them, and kinds that were once declined: pay that changes within the year, several
 * rates in one week, a payslip to compare with, saving for something. Checked against an independent calculator.
 */
import { expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";
import { expectFigures } from "../../../testing/figures.ts";
import { type IndependentPay, independentPay } from "../../../testing/independent-pay.ts";

const takeHome = (of: IndependentPay) => independentPay(of).takeHome;
const incomeTax = (of: IndependentPay) => independentPay(of).incomeTax;
const insurance = (of: IndependentPay) => independentPay(of).nationalInsurance;

const answered: [question: string, ...figures: number[]][] = [
  // A story with one question: what does not belong to it is left out by name.
  [
    "I've been a barista in Leeds for two years and I'm on £24,500. My landlord just put the rent up to £750 a month. What do I have left after rent?",
    takeHome({ salary: 24_500 }) / 12 - 750,
  ],
  [
    "My wife is going back to work part time after our second child, she'll be on about £16,500. I'm on £43k with 6% pension. What's our combined monthly take home?",
    takeHome({ salary: 43_000, sacrificed: 2_580 }) + takeHome({ salary: 16_500 }),
    takeHome({ salary: 43_000, sacrificed: 2_580 }),
  ],
  [
    "My daughter has just started her first job at £23,400. She has a plan 5 loan. What will she get a month?",
    takeHome({ salary: 23_400, plans: [5] }) / 12,
  ],
  [
    "I earn £41,000 and get a £2,000 bonus each December. I pay 5% into my pension and have a plan 2 student loan. My rent is £950 a month. What will I have left each month?",
    takeHome({ salary: 41_000, extra: 2_000, sacrificed: 2_050, plans: [2] }) / 12 - 950,
  ],
  [
    "I'm saving for a house. I earn £33k, my partner earns £29k and we spend about £2,000 a month on bills. How much could we save each month?",
    (takeHome({ salary: 33_000 }) + takeHome({ salary: 29_000 })) / 12 - 2_000,
  ],
  // Several rates in one week, in one job or in two.
  [
    "I work 20 hours at £12.50 and 10 hours at £15 an hour, what do i take home",
    takeHome({ salary: 20_800 }),
  ],
  ["weekdays 13.50 an hour for 30 hours, weekends 16 an hour for 8 hours", takeHome({ salary: 27_716 })],
  ["30 hours a week at 13.20 and 8 hours at time and a half", takeHome({ salary: 13.2 * 42 * 52 })],
  [
    "i do 25 hours a week at £12.71 in one job and 12 hours at £14 in another",
    takeHome({ salary: 12.71 * 25 * 52, otherJobs: [14 * 12 * 52] }),
  ],
  [
    "two jobs, 20 hours a week at £13 and 15 hours a week at £12.50",
    takeHome({ salary: 13 * 20 * 52, otherJobs: [12.5 * 15 * 52] }),
  ],
  // Pay that changes within the tax year, April to March.
  [
    "I got a pay rise from 30k to 33k in october, how much tax will i pay this year",
    incomeTax({ salary: 31_500 }),
  ],
  [
    "my salary was 28k until the end of september then 32k, what will i take home this tax year",
    takeHome({ salary: 30_000 }),
  ],
  ["i was on 31k until october then moved to 38k, whats my tax for the year", incomeTax({ salary: 34_500 })],
  [
    "i started on 24k in april and moved to 27k in november, take home this year?",
    takeHome({ salary: 25_250 }),
  ],
  [
    "My salary is going up from 34,000 to 38,500 in October. What will my new take home be?",
    takeHome({ salary: 34_000 }),
    takeHome({ salary: 38_500 }),
  ],
  ["I start a job on 36k in september, how much tax will I pay this tax year", incomeTax({ salary: 21_000 })],
  // A payslip.
  [
    "my payslip says gross 3,000, tax 390.50, ni 156.20, net 2,453.30. is that right?",
    takeHome({ salary: 36_000 }) / 12,
    incomeTax({ salary: 36_000 }) / 12,
    insurance({ salary: 36_000 }) / 12,
  ],
  ["my payslip shows £3,000 gross and £2,450 net, does that look right", takeHome({ salary: 36_000 }) / 12],
  [
    "I was paid £2,400 last month and my payslip said I paid £270 tax and £110 NI. Does that sound right?",
    incomeTax({ salary: 28_800 }) / 12,
    insurance({ salary: 28_800 }) / 12,
  ],
  [
    "I get paid weekly, £640 gross. This week they took off £98 tax. Is that right?",
    incomeTax({ salary: 33_280 }) / 52,
  ],
  // How long to save for something: whole months.
  ["how long until i save 10k if i earn 35k and rent is 900", 7],
  ["i earn 40k and save £300 a month, how long to save 5k", 17],
  ["how long will it take to save a 20k deposit on 45k saving 500 a month", 40],
  ["i earn 32k. how many months until i have £6,000 if i save 10% of my take home", 28],
  // Enough to live on: the take-home, and what is not known.
  ["can i live on 25k in london", takeHome({ salary: 25_000 })],
  ["would 28k be ok to live on in leeds", takeHome({ salary: 28_000 })],
  ["could a family survive on 32k in Glasgow", takeHome({ salary: 32_000, scottish: true })],
  // The tax code of today counts for the whole year.
  ["my tax code was BR for 3 months, now 1257L, on 30k", takeHome({ salary: 30_000 })],
  [
    "I was on 0T until july and now I'm on 1257L, salary 42k, how much tax this year",
    incomeTax({ salary: 42_000 }),
  ],
  ["is it worth earning over 100k", 62],
  // The question word decides what is asked.
  [
    "If I go from 49k to 53k how much of that 4k do i keep",
    takeHome({ salary: 53_000 }) - takeHome({ salary: 49_000 }),
  ],
  ["how much tax would i pay if my boss gave me a £500 xmas bonus? i get paid 24k", 100],
  [
    "bonus of 12k on 95k salary what's the damage",
    takeHome({ salary: 107_000 }) - takeHome({ salary: 95_000 }),
  ],
  ["plan 5 loan do i start paying on 28k and how much", 270],
  [
    "I earn 52,000 and have a plan 2 student loan, what comes out each month in total",
    (52_000 - takeHome({ salary: 52_000, plans: [2] })) / 12,
  ],
  ["is £25,500 for 42 hours a week legal minimum wage wise", 11.68, 12.71],
  // Hours, rates and periods in other orders.
  ["£12.71 an hour 40 hours take home per week", takeHome({ salary: 26_436.8 }) / 52],
  ["25hrs @ 13.05 monthly take home please", takeHome({ salary: 16_965 }) / 12],
  ["I get paid every 4 weeks, gross is 2240, what should my net be", takeHome({ salary: 29_120 })],
  [
    "advertised as £24,790 FTE. I do 32.5 hours out of 37 and get paid for 44.5 weeks of 52. what do I get each month",
    takeHome({ salary: 18_634.38 }) / 12,
  ],
  [
    "£150 a day supply teacher how much after tax if i do 4 days a week term time",
    takeHome({ salary: 23_400 }),
  ],
  ["how much tax would i pay on 18 thousand five hundred", incomeTax({ salary: 18_500 })],
  [
    "47k plus 6k car allowance or 52k no allowance",
    takeHome({ salary: 53_000 }),
    takeHome({ salary: 52_000 }),
  ],
  // Words that no rule knows are left out by name.
  [
    "Police constable on 48k, 13.44% pension, what do i get monthly",
    takeHome({ salary: 48_000, netPay: 6_451.2 }) / 12,
  ],
  ["going from 49k to 53k what do i gain a mth", takeHome({ salary: 53_000 }) - takeHome({ salary: 49_000 })],
  // A year, a raise or a pay that only the story tells is not the asker's.
  [
    "My gran left me 15,000 last year. I work in a bakery on 23,400. I have no loan. What's my net monthly pay?",
    takeHome({ salary: 23_400 }) / 12,
  ],
  ["35k instead of 32k how much better off", takeHome({ salary: 35_000 }) - takeHome({ salary: 32_000 })],
  ["payslip says gross 2,500 tax 290 this month, is that right", incomeTax({ salary: 30_000 }) / 12],
  [
    "I have a plan 2 loan of 41,000 and a masters loan of 11,000. I earn 45k. How much goes to loans each month?",
    independentPay({ salary: 45_000, plans: [2, "postgrad"] }).studentLoan / 12,
  ],
  [
    "My payslip last month said gross 2,916.67 and tax 373.70. My code is 1257L. Is the tax right?",
    incomeTax({ salary: 35_000.04 }) / 12,
  ],
  ["paid 95 per shift 3 a week", takeHome({ salary: 14_820 })],
  ["code is 1100L instead of 1257L how much extra do i pay on 30k", 314],
  ["is it true that u get taxed 60% over 100 grand", 62],
  ["i live in hull and work in gretna on 40k", takeHome({ salary: 40_000 })],
  ["basic 30k total 36k with overtime, take home?", takeHome({ salary: 36_000 })],
  // The total of an employer, a state pension, a couple's allowance.
  ["If my employer pays £50,000 in total including NI, what's my salary?", (50_000 + 750) / 1.15],
  [
    "My mum is 68 still working in a school kitchen for £11,200 a year plus her state pension of £230 a week. She gets taxed loads. Is that right? what should she pay",
    2_118,
  ],
  ["My gf earns 9k a year and I earn 31k. We're getting married in August. do we get any tax off", 252],
  // One of two jobs: what it adds.
  [
    "ive got 2 jobs. 18k in the week and then about 6 grand in a pub at weekends. how much tax comes off the pub one",
    1_200,
  ],
  ["I get 6k from a pub and 18k at a school. how much tax is taken on the pub job", 1_200],
  [
    "tax on 15k second job when main job is 40k?",
    incomeTax({ salary: 55_000 }) - incomeTax({ salary: 40_000 }),
  ],
  ["how much of the 5k job do I keep, main job 30k", 4_000],
  ["what is the tax on a 30k job and a 6k bar job", incomeTax({ salary: 36_000 })],
  ["My pay rise is 2% so it goes to 30,600. what's the take home", takeHome({ salary: 30_600 })],
  ["two jobs 20k and 15k, tax on both", incomeTax({ salary: 35_000 })],
  // Who is meant, what the new pay is, and what is paid for something.
  [
    "I just got a raise of 1,800 which takes me to 33,800. I have a plan 1 loan. What is my new take home a month?",
    takeHome({ salary: 33_800, plans: [1] }),
  ],
  ["My uncle left school in 1975 and he is 69. He still drives for 15,500 a year. Does he pay NI?", 0],
  [
    "My grandson is an apprentice electrician, he's 18. He gets 8.50 an hour and does 40 hours. How much tax will he pay?",
    incomeTax({ salary: 17_680 }),
  ],
  [
    "Got offered 32k in Manchester or 29k in Edinburgh. Rent in Edinburgh is 300 cheaper. Which leaves me better off?",
    takeHome({ salary: 32_000 }),
    takeHome({ salary: 29_000, scottish: true }),
    takeHome({ salary: 32_000 }) - takeHome({ salary: 29_000, scottish: true }),
  ],
  // A bonus into the pension, and a basic salary with its total.
  [
    "I'm on 95k and due a bonus of 10k. My accountant said put it in the pension. What happens to my take home if I do?",
    takeHome({ salary: 105_000 }),
    takeHome({ salary: 105_000, sacrificed: 10_000 }),
  ],
  ["a 14k bonus in pension, £250 a week", takeHome({ salary: 13_000 })],
  ["44k basic and 53k total", takeHome({ salary: 53_000 })],
  ["22k basic plus commission, about 30k total", takeHome({ salary: 30_000 })],
  ["I left in july, earned about 9,800 from april to july. how much tax is that?", 0, 9_800],
];

test.each(answered)("%s", async (question, ...figures) => {
  await expectFigures(question, figures);
});

test.each<[question: string, says: RegExp]>([
  ["can i live on 25k in london", /I can't judge whether that is enough/],
  [
    "I've been a barista in Leeds for two years and I'm on £24,500. My landlord just put the rent up to £750 a month. What do I have left after rent?",
    /I left “2 years”.* out/,
  ],
  [
    "I got a pay rise from 30k to 33k in october, how much tax will i pay this year",
    /£30,000 a year for 6 months/,
  ],
  ["my payslip shows £3,000 gross and £2,450 net, does that look right", /£2,450/],
  ["my tax code was BR for 3 months, now 1257L, on 30k", /comes back/],
])("%s: says what it assumed or left out", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBe("take_home");
  expect(text).toMatch(says);
});

/** A word that turns a statement around is not an aside. */
test.each([
  "I earn 45k. I used to have plan 2. What do I take home?",
  "I earn 45k. I only work until october. What do I take home?",
  "I earn 45k. They took 5% more. What do I take home?",
  "overtime at 1.5 on 30k",
  "how much do I take home on one job of 30k or two jobs of 15k",
  "I'm 64 and my wife is 61. She earns 18,000 and I earn 33,000. We have a private pension of 4,000 a year. How much tax do we pay?",
  "We pay 240 a month for childcare vouchers and 90 for parking. My salary is 39,500. What is my monthly net?",
  "My salary went from 28k to 31k two years ago. Now they offer me 35k. How much more a month is that after tax?",
  "can i opt out of my workplace pension and what would i gain per month on 26k",
  "There are 6 of us in the team and we share tips of about 300 a week. I earn 21k. How much tax do I pay on my salary?",
  "how much holiday pay do i get for zero hours, i worked 96 hours this month at £12.71",
  "My sister says I should be on 30k. I'm on 26,500 as a PA in Belfast. I pay 4% pension. What do I get a month?",
  "I started a new job in october 2025 on 44k after being unemployed since april. how much tax should i have paid?",
])("%s: asked", async (question) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
});

/** Questions of words are answered in words, and what is not worked out comes with a rule of thumb and its source. */
test.each<[question: string, says: RegExp]>([
  ["why was my bonus taxed so much", /taxed like all other pay/],
  ["do you pay more tax on overtime?", /taxed like your other pay/],
  ["why am i on a BR code??", /no allowance/],
  ["code S1257L??", /Scotland/],
  ["I'm 19 and get a 14,000 police pension at work. Is it taxed?", /taxed as income/],
  ["What tax code should i have in glasgow", /In Scotland the usual code is S1257L/],
  ["whats the difference between a P45 and a P60", /when you leave a job/],
  ["what even is national insurance for", /counts towards the State Pension/],
  [
    "my manager says i'd be worse off with a payrise because it puts me in a higher bracket. True?",
    /not make you worse off/,
  ],
  ["how much is ssp a week now", /£123\.25 a week.*gov\.uk/],
  ["self employed plumber, made 38,400 profit", /6% of profit from £12,570.*gov\.uk/],
  ["i only earn £115 a week and no NI comes off, will it affect my state pension", /£129 a week/],
  ["do i pay tax on my lodger, she gives me 550 a month", /£7,500 from a lodger/],
  [
    "My wife and I are moving from England to Scotland. I earn £62,000 and she earns £28,000. Would we be worse off?",
    /can't compare two households/,
  ],
])("%s: explained", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
  expect(text).toMatch(says);
});
