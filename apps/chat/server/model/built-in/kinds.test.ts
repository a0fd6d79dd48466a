/**
 * Kinds of questions that were once misread, or of which a part was lost. Checked against an independent calculator.
 */
import { expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";
import { expectFigures } from "../../../testing/figures.ts";
import {
  type IndependentPay,
  independentPay,
  independentSalaryFor as salaryFor,
} from "../../../testing/independent-pay.ts";

const takeHome = (of: IndependentPay) => independentPay(of).takeHome;
const loan = (of: IndependentPay) => independentPay(of).studentLoan;
const scottish = true;

const rows: [question: string, ...figures: number[]][] = [
  // A name between two sums: the smaller one has it.
  ["44k bonus 6k", takeHome({ salary: 44_000, extra: 6_000 })],
  ["6k bonus 44k", takeHome({ salary: 44_000, extra: 6_000 })],
  ["50k commission 10k", takeHome({ salary: 50_000, extra: 10_000 })],
  ["38,000 bonus 2,000", takeHome({ salary: 38_000, extra: 2_000 })],
  ["40k bonus 10%", takeHome({ salary: 40_000, extra: 4_000 })],
  ["27k commission £800 a month", takeHome({ salary: 27_000, extra: 9_600 })],
  ["44k bonus 6k overtime 3k", takeHome({ salary: 44_000, extra: 9_000 })],
  ["45k bonus of 3k and overtime of 2k", takeHome({ salary: 45_000, extra: 5_000 })],
  ["60k base 15k bonus 10k car allowance", takeHome({ salary: 60_000, extra: 25_000 })],
  ["70k bonus 12k pension 6%", takeHome({ salary: 70_000, extra: 12_000, sacrificed: 4_200 })],
  ["31k shift allowance 2k take home a month", takeHome({ salary: 31_000, extra: 2_000 }) / 12],
  ["45k raise 3k", takeHome({ salary: 48_000 }) - takeHome({ salary: 45_000 })],
  ["45k rise 5%", takeHome({ salary: 47_250 }) - takeHome({ salary: 45_000 })],
  // Each of those that are compared has its own.
  ["45k bonus 5k vs 50k bonus 2k", takeHome({ salary: 50_000 }), takeHome({ salary: 52_000 })],
  ["45k plus 5k bonus vs 52k", takeHome({ salary: 50_000 }), takeHome({ salary: 52_000 })],
  [
    "45k bonus 5k vs 50k bonus 2k → in scotland",
    takeHome({ salary: 50_000, scottish }),
    takeHome({ salary: 52_000, scottish }),
  ],
  ["compare 40k and 50k with 10% bonus", takeHome({ salary: 44_000 }), takeHome({ salary: 55_000 })],
  // A part of a year's pay.
  ["1/12 of my net on 30k", takeHome({ salary: 30_000 }) / 12],
  ["1/52 of my pay on 31k", takeHome({ salary: 31_000 }) / 52],
  ["25 days of pay on 40k", takeHome({ salary: 40_000 }) / 260],
  ["what is 3 days of pay worth on 45k", takeHome({ salary: 45_000 }) / 260],
  ["2 weeks pay on 36k", takeHome({ salary: 36_000 }) / 52],
  ["45k full time with 3 days holiday", takeHome({ salary: 45_000 })],
  // A salary times a number.
  ["2x my salary of 30k", takeHome({ salary: 60_000 })],
  ["1.5x 40k", takeHome({ salary: 60_000 })],
  ["3 times 25k salary", takeHome({ salary: 75_000 })],
  ["what if my 30k salary doubled", takeHome({ salary: 60_000 }) - takeHome({ salary: 30_000 })],
  ["30k → 2x salary", takeHome({ salary: 60_000 }) - takeHome({ salary: 30_000 })],
  ["30k → double it", takeHome({ salary: 60_000 }) - takeHome({ salary: 30_000 })],
  ["40k salary halved", takeHome({ salary: 20_000 })],
  ["4.5x my salary of 45k mortgage", takeHome({ salary: 45_000 })],
  ["my mortgage is 4 times my salary of 40k", takeHome({ salary: 40_000 })],
  ["death in service 4x salary on 45k", takeHome({ salary: 45_000 })],
  // The period before the sum.
  ["my gross monthly is 3150", takeHome({ salary: 37_800 })],
  ["my gross weekly is 650", takeHome({ salary: 33_800 })],
  ["monthly gross of 3150", takeHome({ salary: 37_800 })],
  ["my annual gross is 41200", takeHome({ salary: 41_200 })],
  ["my daily rate is 180", takeHome({ salary: 46_800 })],
  ["hourly rate is 16.50", takeHome({ salary: 32_175 })],
  ["my net monthly is 2350", salaryFor(28_200)],
  ["my monthly take home is 2400, what is my salary", salaryFor(28_800)],
  // One more job.
  ["35k → what if I also did a saturday job for 6k", takeHome({ salary: 35_000, otherJobs: [6_000] })],
  ["30k plus a bar job for 6k", takeHome({ salary: 30_000, otherJobs: [6_000] })],
  ["29k → i also earn 5k from tutoring → two jobs", takeHome({ salary: 29_000, otherJobs: [5_000] })],
  // How often somebody is paid.
  ["28k paid 13 times a year", takeHome({ salary: 28_000 }) / 13],
  ["£2,000 paid 13 times a year", takeHome({ salary: 26_000 })],
  ["i'm paid £1500 26 times a year", takeHome({ salary: 39_000 })],
  ["paid 4 times a year 45k", takeHome({ salary: 45_000 }) / 4],
  ["paid 24 times a year 36k", takeHome({ salary: 36_000 })],
  ["paid twice a month 36k", takeHome({ salary: 36_000 })],
  ["i am paid 13 times a year £2,300 each time", takeHome({ salary: 29_900 })],
  ["paid every 4 weeks £1,900", takeHome({ salary: 24_700 })],
  ["my pay is £1,150 every two weeks", takeHome({ salary: 29_900 })],
  // A salary in a scheme, and what goes in.
  ["teacher 42k in the teachers pension 9.6%", takeHome({ salary: 42_000, netPay: 4_032 })],
  ["nurse on 35k in the nhs pension 9.8%", takeHome({ salary: 35_000, netPay: 3_430 })],
  ["42k in the lgps at 6.5%", takeHome({ salary: 42_000, netPay: 2_730 })],
  ["lecturer on 47k with uss 6.1%", takeHome({ salary: 47_000, netPay: 2_867 })],
  ["42k salary, tps 9.6%", takeHome({ salary: 42_000, netPay: 4_032 })],
  ["36k nhs 9.8% pension", takeHome({ salary: 36_000, netPay: 3_528 })],
  ["45k civil service alpha 5.45%", takeHome({ salary: 45_000, netPay: 2_452.5 })],
  ["£39k sipp 300 a month", takeHome({ salary: 39_000, reliefAtSource: 3_600 })],
  ["4k pension 45k salary", takeHome({ salary: 45_000, sacrificed: 4_000 })],
  ["30k pension 5% employer 3%", takeHome({ salary: 30_000, sacrificed: 1_500 })],
  ["£42k with 12k into pension", takeHome({ salary: 42_000, sacrificed: 12_000 })],
  // A share of what is left.
  ["my rent is half my take home and i earn 30k", takeHome({ salary: 30_000 }) / 24],
  ["what's a third of my net pay on £39k", takeHome({ salary: 39_000 }) / 36],
  ["I spend 40% of my net on rent, salary is £52k", (takeHome({ salary: 52_000 }) * 0.4) / 12],
  ["I'm on 47k, save 20% of my take home, how much is that a month?", takeHome({ salary: 47_000 }) / 60],
  ["a quarter of my take home pay goes on rent, 28k", takeHome({ salary: 28_000 }) / 48],
  ["two thirds of my take home on 33k", takeHome({ salary: 33_000 }) / 18],
  ["three quarters of net pay on 31k", takeHome({ salary: 31_000 }) / 16],
  ["40k, I save 0.5 of my take home", takeHome({ salary: 40_000 }) / 24],
  ["1/3 of my take home on 36k", takeHome({ salary: 36_000 }) / 36],
  ["rent takes half my wages after tax, i'm on 26k in Scotland", takeHome({ salary: 26_000, scottish }) / 24],
  ["what rent is 30% of take home pay on 35k", (takeHome({ salary: 35_000 }) * 0.3) / 12],
  ["half my take home a week on 25k", takeHome({ salary: 25_000 }) / 104],
  [
    "rent is a third of my net and bills are £400, 34k, what's left",
    takeHome({ salary: 34_000 }) / 36,
    takeHome({ salary: 34_000 }) / 18 - 400,
  ],
  ["30k → what's half of that", takeHome({ salary: 30_000 }) / 24],
  ["my rent is half my take home, 30k → and on 40k?", takeHome({ salary: 40_000 }) / 24],
  ["30k → a third of it please", takeHome({ salary: 30_000 }) / 36],
  ["my rent's £950, is that more than a third of my take home on 33k", takeHome({ salary: 33_000 }) / 36],
  [
    "I want my rent to be no more than 30% of my take home pay, i earn 32k",
    (takeHome({ salary: 32_000 }) * 0.3) / 12,
  ],
  // The salary for what reaches the bank.
  ["salary needed to clear £2,500/month in Scotland", salaryFor(30_000, { scottish })],
  ["I get 2 grand a month into my bank. whats my salary?", salaryFor(24_000)],
  ["net £600 a week what annual salary", salaryFor(31_200)],
  ["I get £2,300 a month in my bank account, what's my gross", salaryFor(27_600)],
  ["how much before tax to get 1800 a month in my bank", salaryFor(21_600)],
  ["£1,750 a month lands in my account, what's my salary", salaryFor(21_000)],
  // A rise of the take-home.
  [
    "i'm on 30k, what rise do I need to get £200 more a month",
    salaryFor(takeHome({ salary: 30_000 }) + 2_400),
  ],
  [
    "how much more do i need to earn to take home an extra 100 a month on 33k",
    salaryFor(takeHome({ salary: 33_000 }) + 1_200),
  ],
  [
    "i want an extra 300 quid in my pocket each month, currently 40k",
    salaryFor(takeHome({ salary: 40_000 }) + 3_600),
  ],
  // What is kept of a bonus, or of a further job.
  [
    "I'm getting a £5,000 bonus on top of my £48k salary, how much of the bonus do I keep?",
    takeHome({ salary: 53_000 }) - takeHome({ salary: 48_000 }),
  ],
  [
    "my boss offered me a 2 grand bonus i earn 29k how much will i see of it",
    takeHome({ salary: 31_000 }) - takeHome({ salary: 29_000 }),
  ],
  [
    "main job 35k, weekend job £150 a week. how much of the second do I keep",
    takeHome({ salary: 35_000, otherJobs: [7_800] }) - takeHome({ salary: 35_000 }),
  ],
  // Each of those that are compared has its own pension.
  ["compare £38k with 5% pension and £40k with none", takeHome({ salary: 40_000 })],
  [
    "60k with 10% pension or 60k with 3% pension",
    takeHome({ salary: 60_000, sacrificed: 6_000 }),
    takeHome({ salary: 60_000, sacrificed: 1_800 }),
  ],
  [
    "40k with 5% pension vs 42k with no pension",
    takeHome({ salary: 40_000, sacrificed: 2_000 }),
    takeHome({ salary: 42_000 }),
  ],
  [
    "40k with 5% pension vs 42k with 8% pension → in scotland",
    takeHome({ salary: 40_000, sacrificed: 2_000, scottish }),
    takeHome({ salary: 42_000, sacrificed: 3_360, scottish }),
  ],
  [
    "38k with 5% pension vs 40k",
    takeHome({ salary: 38_000, sacrificed: 1_900 }),
    takeHome({ salary: 40_000 }),
  ],
  [
    "38k vs 40k with 5% pension",
    takeHome({ salary: 38_000, sacrificed: 1_900 }),
    takeHome({ salary: 40_000, sacrificed: 2_000 }),
  ],
  // Down to a threshold.
  [
    "120k salary, how much should I put in my pension to get down to 100k",
    20_000,
    takeHome({ salary: 120_000, sacrificed: 20_000 }),
  ],
  ["how much into my pension to stay under 50,270 on 55k", 4_730, takeHome({ salary: 50_270 })],
  // An offer by itself is a salary.
  ["just been offered 55k, how much will hit my bank account", takeHome({ salary: 55_000 })],
  ["I got a job offer of 45k", takeHome({ salary: 45_000 })],
  // A day is one of those that were said, and an hour one of the weeks that were said.
  ["day rate 350, 220 days a year, how much a day after tax", takeHome({ salary: 77_000 }) / 220],
  ["£20 an hour 40 hours 46 weeks a year, how much an hour after tax", takeHome({ salary: 36_800 }) / 1_840],
  ["4 weekly pay of £2,200", takeHome({ salary: 28_600 })],
  // Fewer days: what it costs.
  [
    "37k for 4 days instead of 5, how much less would i get",
    takeHome({ salary: 37_000 }) - takeHome({ salary: 29_600 }),
  ],
  ["5 days to 3 days on 35k how much less", takeHome({ salary: 35_000 }) - takeHome({ salary: 21_000 })],
  [
    "50k with 5% pension or 8% pension",
    takeHome({ salary: 50_000, sacrificed: 2_500 }),
    takeHome({ salary: 50_000, sacrificed: 4_000 }),
  ],
  ["will I pay less tax in Scotland on 30k", 3_451.07, 3_486],
  ["do I pay less tax with a 5% pension on 40k", 5_486, 5_086],
  ["salery of 31500 wat is my takehom pay", takeHome({ salary: 31_500 })],
  // Overtime at a multiple of the hourly pay.
  [
    "overtime 10 hours a week at time and a half, base £15 an hour 40 hours",
    takeHome({ salary: 31_200, extra: 11_700 }),
  ],
  [
    "£14 an hour 37.5 hours plus 6 hours overtime a week at double time",
    takeHome({ salary: 27_300, extra: 8_736 }),
  ],
  [
    "5 hours of overtime a week at 1.5x on £12.50 an hour for 40 hours",
    takeHome({ salary: 26_000, extra: 4_875 }),
  ],
  [
    "£16/hr 40 hours, 4 hours a week overtime at time and a quarter",
    takeHome({ salary: 33_280, extra: 4_160 }),
  ],
  [
    "31,200 for 40 hours a week and 10 hours overtime a month at time and a half",
    takeHome({ salary: 31_200, extra: 2_700 }),
  ],
  // What goes with fewer days.
  [
    "4 day week instead of 5 on 50k, how much do I lose",
    takeHome({ salary: 50_000 }) - takeHome({ salary: 40_000 }),
  ],
  [
    "how much would i lose going from 5 days to 4 on 36k",
    takeHome({ salary: 36_000 }) - takeHome({ salary: 28_800 }),
  ],
  [
    "what would I lose if I dropped from 40 hours to 30 on 38k",
    takeHome({ salary: 38_000 }) - takeHome({ salary: 28_500 }),
  ],
  // A change of the pension.
  [
    "what would 1% more pension cost me on 38k",
    takeHome({ salary: 38_000 }),
    takeHome({ salary: 38_000, sacrificed: 380 }),
  ],
  [
    "if I opt out of my 5% pension on 30k how much more do I get",
    takeHome({ salary: 30_000 }),
    takeHome({ salary: 30_000, sacrificed: 1_500 }),
  ],
  // National Insurance, not Northern Ireland.
  [
    "what did I pay in NI in 2024/25 on 40k",
    independentPay({ taxYear: "2024/25", salary: 40_000 }).nationalInsurance,
  ],
  ["how much of 35k is lost in NI", independentPay({ salary: 35_000 }).nationalInsurance],
  // Repayments of a plan.
  ["plan 5 repayments 27k", loan({ salary: 27_000, plans: [5] })],
  ["what are my plan 2 repayments on 40k", loan({ salary: 40_000, plans: [2] })],
  // This year and the last.
  [
    "what was take home on 50k last year vs this year",
    independentPay({ taxYear: "2025/26", salary: 50_000 }).takeHome,
    takeHome({ salary: 50_000 }),
  ],
  // The allowance comes back at 100,000.
  [
    "I earn 120k, how much do I need to put in my pension to get my allowance back",
    20_000,
    takeHome({ salary: 100_000 }),
  ],
  [
    "on 110k what pension contribution do i need to keep my full personal allowance",
    10_000,
    takeHome({ salary: 100_000 }),
  ],
  // Places.
  ["living in paisley on 51k", takeHome({ salary: 51_000, scottish })],
  ["45k job in edinburgh but i'd be living in newcastle", takeHome({ salary: 45_000 })],
  ["I commute from Berwick to Edinburgh 41k", takeHome({ salary: 41_000 })],
  // Years next to each other, and minimum wages.
  ["2025 vs 2026 on 33k scotland", takeHome({ salary: 33_000, scottish }), 27_252.78],
  ["nmw 2024 40 hrs", independentPay({ taxYear: "2024/25", salary: 23_795.2 }).takeHome],
  ["under 18 minimum wage 20 hours a week", 8_320],
  // PAYE is how somebody is paid.
  ["daily take home on 300 a day paye", takeHome({ salary: 78_000 }) / 260],
  ["how much paye on 40k", independentPay({ salary: 40_000 }).incomeTax],
  ["how much of my 55k salary is taxed at 40 percent", 4_730],
  // Whose contribution, and of what.
  ["pension 3% them 5% me, 28k", takeHome({ salary: 28_000, sacrificed: 1_400 })],
  ["28k, 5% me and 3% employer pension", takeHome({ salary: 28_000, sacrificed: 1_400 })],
  ["bonus 5k into pension, salary 50k", takeHome({ salary: 50_000 })],
  [
    "how much would putting £250 a month in my pension reduce my take home by? 61k",
    takeHome({ salary: 61_000 }) - takeHome({ salary: 61_000, sacrificed: 3_000 }),
  ],
  ["how much student loan on a 3k bonus, salary 40k plan 2", 270],
  ["london weighting 5,200 included in 38k", takeHome({ salary: 38_000 })],
  ["postgraduate and plan 5, 24k", takeHome({ salary: 24_000, plans: [5, "postgrad"] })],
  ["time and a third on 15 an hour for 40 hours", takeHome({ salary: 41_600 })],
  ["£13.45 x 37.5 hours", takeHome({ salary: 26_227.5 })],
  // What stays in a conversation.
  ["£16.40 an hour → 36 hours → 42 weeks", takeHome({ salary: 24_796.8 })],
  ["48k → 52k instead → difference?", takeHome({ salary: 52_000 }) - takeHome({ salary: 48_000 })],
  [
    "me and my husband earn 28k and 35k → what if i got a 3k rise",
    takeHome({ salary: 31_000 }) + takeHome({ salary: 35_000 }),
  ],
  ["30k → 2 jobs, other is 8k", takeHome({ salary: 30_000, otherJobs: [8_000] })],
  ["tax code 1257L W1 850 a week", takeHome({ salary: 44_200 })],
  ["OT tax code on 2,000 a month", takeHome({ salary: 24_000, allowance: 0 })],
  // The period of the salary, and sums with a bare period.
  ["4k a month with £320 pension", takeHome({ salary: 48_000, sacrificed: 3_840 })],
  ["season ticket 2,800 year on 33k", (takeHome({ salary: 33_000 }) - 2_800) / 12],
  ["I'm paid weekly, £612.50. Yearly take home?", takeHome({ salary: 31_850 })],
  ["£45K p.a. gross → net p.m.?", takeHome({ salary: 45_000 }) / 12],
  ["intern 1,400 pcm", takeHome({ salary: 16_800 })],
  ["pay for 3 days on 31,200", takeHome({ salary: 31_200 }) / 260],
  ["employee and employer NI on 44k", 2_514.4, 5_850],
  ["6% annual bonus on £39,500", takeHome({ salary: 41_870 })],
  ["real living wage 13.45 35 hours", takeHome({ salary: 24_479 })],
  ["over 66 working 25k", 25_000 - 2_486],
  ["avoid 60% tax on 115k how much pension", 15_000, takeHome({ salary: 100_000 })],
  ["40k → + 5k bonus → and scotland → without the bonus", takeHome({ salary: 40_000, scottish })],
  ["50k plan 2 → remove student loan", takeHome({ salary: 50_000 })],
  ["i earn 25k → my boss is giving me 5%", takeHome({ salary: 26_250 }) - takeHome({ salary: 25_000 })],
  ["plan 1+2+pg 52k", takeHome({ salary: 52_000, plans: [1, 2, "postgrad"] })],
  // Each with its own place or year.
  [
    "job in Cardiff on £37,200, currently in Bristol on £35,900 - difference?",
    takeHome({ salary: 37_200 }) - takeHome({ salary: 35_900 }),
  ],
  ["i earn 34k in 26/27 and 32k in 25/26, compare", 1_440],
  ["23k in the year 2024 to 2025", independentPay({ taxYear: "2024/25", salary: 23_000 }).takeHome],
  // What is worked in a year or a month.
  ["1,650 hours a year at £17.20", takeHome({ salary: 28_380 })],
  ["£185 a shift 13 shifts a month", takeHome({ salary: 28_860 })],
  ["28k → overtime 4 hours a week at 20", takeHome({ salary: 28_000, extra: 4_160 })],
  ["£13 an hour 30 hours → what if they pay me 14", takeHome({ salary: 21_840 })],
  ["im on benefits and got offered 16 hours at 12.71", takeHome({ salary: 10_574.72 })],
  // The next pound, the rates of a bonus, the share of a band.
  ["what rate am i taxed on my overtime at 53k", 42],
  ["what % do I lose on a bonus at 110k", 62],
  ["am I in the 60% trap at 104k", 62],
  ["how much of 130k is at 45%", 4_860],
  ["class 1 ni on 33k", 1_634.4],
  ["true cost of a 35k employee", 4_500, 39_500],
  // The loan, not the take-home.
  ["how much does plan 2 cost me at 50k", loan({ salary: 50_000, plans: [2] })],
  ["will i pay more student loan if i get a rise from 32k to 35k plan 1", 459, 729],
  ["pension 5%, student loan 2, 39.5k", takeHome({ salary: 39_500, sacrificed: 1_975, plans: [2] })],
  // Take-home that was given.
  ["im clearing 2,150 pcm what's my salary before tax", salaryFor(25_800)],
  ["pre-tax for £350/wk post-tax", salaryFor(18_200)],
  ["promotion: 36k to 44k", takeHome({ salary: 44_000 }) - takeHome({ salary: 36_000 })],
  ["take home 55k → now 60k → how much more is that", 2_900],
  // A period that belongs to the take-home, and what goes in tax on an extra.
  ["43k + 3k bonus monthly take home", takeHome({ salary: 46_000 }) / 12],
  ["43k + 300 bonus monthly", takeHome({ salary: 43_000, extra: 3_600 })],
  ["bonus of 5k on 60k how much do i keep", 2_900],
  ["i earn 100k and got a 4k bonus what tax on it", 2_400],
  ["pension 5% matched by employer on 45k", takeHome({ salary: 45_000, sacrificed: 2_250 })],
  ["£41,300 and I have a company pension of 6%", takeHome({ salary: 41_300, sacrificed: 2_478 })],
  [
    "how much would my take home go down if I went to 30 hours from 37.5 on 31k",
    takeHome({ salary: 31_000 }) - takeHome({ salary: 24_800 }),
  ],
  ["how much does a 25k employee cost", 3_000, 28_000],
  ["will a £3k raise on 48.5k push me into higher tax", 846],
  ["payrise from 38k to 43k", takeHome({ salary: 43_000 }) - takeHome({ salary: 38_000 })],
  // Tax codes.
  ["tax code BR on 15000", 11_805.6],
  ["NT code 20k", 19_405.6],
  ["my code is 0T and i make 2500 a month", takeHome({ salary: 30_000, allowance: 0 }) / 12],
  ["S1257L on £29k", takeHome({ salary: 29_000, scottish })],
  ["sd0 20k", 20_000 - 4_200 - 594.4],
  ["my tax code changed from 1257L to 1100L im on 34k how much worse off", 314],
  ["my tax code is 1185L → 38k", takeHome({ salary: 38_000, allowance: 11_850 })],
  ["Main job £30,000, second job £6,500 on BR code", takeHome({ salary: 30_000, otherJobs: [6_500] })],
  // What was said before the salary.
  ["plan 2 → 36k", takeHome({ salary: 36_000, plans: [2] })],
  ["I live in Scotland → I earn 31k → what's that weekly", takeHome({ salary: 31_000, scottish }) / 52],
  ["with 5% pension → 40k", takeHome({ salary: 40_000, sacrificed: 2_000 })],
  ["whats the difference → 40k and 44k", takeHome({ salary: 44_000 }) - takeHome({ salary: 40_000 })],
  ["i earn 2,800 a month → and if i got 3200 instead", takeHome({ salary: 38_400 })],
  ["50k → add 5% pension → what if it was 10%", takeHome({ salary: 50_000, sacrificed: 5_000 })],
  [
    "45k in scotland → and my partner on 30k → what if she moves to part time 18k",
    takeHome({ salary: 45_000, scottish }) + takeHome({ salary: 18_000, scottish }),
  ],
  // What a pension costs.
  [
    "if i pay £200 a month into my pension what do i lose from my take home, on 36k",
    takeHome({ salary: 36_000 }) - takeHome({ salary: 36_000, sacrificed: 2_400 }),
  ],
  [
    "cost of 5% pension on 28k",
    takeHome({ salary: 28_000 }) - takeHome({ salary: 28_000, sacrificed: 1_400 }),
  ],
  ["AVC £150 a month on 39k", takeHome({ salary: 39_000, sacrificed: 1_800 })],
  // Both years.
  ["employers NI on 30k last year and this year", 3_750, 3_750],
  ["how much less tax am I paying in scotland this year than last on 28k", 16.49],
  // Two people, and what they need.
  ["we need 3,400 a month to get by, i'm on 24k and she's on 26.5k", 43_399.2],
  ["both on minimum wage full time, joint income", 2 * takeHome({ salary: 24_784.5 })],
  // Sums as they are written.
  ["27.000 pounds per year", takeHome({ salary: 27_000 })],
  ["£12.710 an hour 40 hours", takeHome({ salary: 26_436.8 })],
  ["twelve pound seventy one an hour, forty hours a week", takeHome({ salary: 26_436.8 })],
  ["monthly 3000 + 250 car allowance", takeHome({ salary: 36_000, extra: 3_000 })],
  // Where somebody lives, not works.
  ["i work in scotland but live in carlisle 39k", takeHome({ salary: 39_000 })],
  // The take-home that somebody wants.
  ["after tax I want 32k", salaryFor(32_000)],
  ["take home of £2,780.11 per month equals what gross", salaryFor(33_361.32)],
  ["annual bonus £8k, I'm on 95k. what's left of it", 4_040],
  // Shifts, and pay by the hour without the word.
  ["i do 4 12 hour shifts a week at £14.50", takeHome({ salary: 36_192 })],
  ["£100 a shift, 4 shifts a week", takeHome({ salary: 20_800 })],
  ["4 on 4 off 12 hour shifts £14 an hour", takeHome({ salary: 30_576 })],
  ["3 shifts a week of 8.5 hrs, £12.90", takeHome({ salary: 17_105.4 })],
  ["did 22 hrs this week at 12.80", takeHome({ salary: 14_643.2 }) / 52],
  ["I work term time only 39 weeks, £14 an hour 30 hours", takeHome({ salary: 16_380 })],
  // Sums that are not pay.
  ["my car costs 350 a month, salary 27,400", takeHome({ salary: 27_400 }) / 12 - 350],
  ["bought a house for £285,000, earn 47,500, what do I take home", takeHome({ salary: 47_500 })],
  ["debt of 12 grand, wage 24 grand", takeHome({ salary: 24_000 })],
  ["35k basic, up to 60k OTE", takeHome({ salary: 35_000 }), takeHome({ salary: 60_000 })],
  ["will a second job push me into 40%? I'm on 44k and it pays 9k", 53_000 - 50_270],
];

test.each(rows)("%s", async (question, ...figures) => {
  await expectFigures(question, figures);
});

test.each<[question: string, says: RegExp]>([
  ["how much can I earn before student loan plan 2 kicks in", /Plan 2 \| £29,385/],
  ["25 days of pay on 40k", /That is one day's: for 25 days take it 25 times\./],
  ["38k, 10 days unpaid leave", /I left the unpaid leave out/],
  ["45k with 25 days holiday", /Paid holiday does not change your yearly pay\./],
  ["teacher 42k take home", /Your job does not change these figures\./],
  ["paid 24 times a year 36k", /I left the 24 payments a year out/],
  ["paid twice a month 36k", /I left “twice a month” out/],
  ["2x my salary of 30k", /I assumed a salary of 2 times £30,000\./],
  ["45k with 4x salary life cover", /I left “4 times” out/],
  ["i earn 30k and did 200 pounds overtime this month what will i take home", /once in the year/],
  ["i earn 40k and sold shares with 20k gain", /I can't work out Capital Gains Tax \(£20,000\)/],
  ["compare 30k and 40k, rent is half my take home", /I left the rent out/],
  ["38k with 5% pension vs 40k", /I assumed that the pension applies only to £38,000\./],
  ["when do I start paying 40%", /Higher rate \| £50,270 \| 40%/],
  ["at what salary do you start to pay the 45% rate", /Additional rate \| £125,140 \| 45%/],
  [
    "28k, 10 hours overtime at double time",
    /I assumed that these are the overtime hours for the whole year\./,
  ],
  ["day job 33k, uber eats about 4k a year", /self-employed.*\(£4,000\)/],
  ["my code is 1257L M1 and I earn 30k", /each payday is taxed by itself/],
  ["car salary sacrifice £420 a month on 58k", /benefits in kind.*\(£420\)/],
  ["£4,200 bonus, 20% pension on it, 45k", /I left the pension of 20% on it out/],
  ["staff of 4 on 26k each", /I work out one employee: for 4 people/],
  ["paid £5,312.40 tax this year on 39,132, is that right", /the £5,312\.40 of tax that you give/],
  ["6 month contract at 4k a month", /I left the part-year out/],
  ["employers ni rate", /employer 15% above £5,000/],
  ["30k with £200 pension", /I assumed that the £200 is for a year/],
  ["i finished uni in 2021 earn 32k", /I left the student loan out/],
  ["tax for year ending april 2026 on 31k", /2025\/26/],
  ["£11,000 for 6 months work", /I left the part-year out/],
])("%s: accounts for what it does not work out", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeDefined();
  expect(text).toMatch(says);
});

test.each<[question: string, says: RegExp]>([
  ["2x salary", /Which salary/],
  ["I get £700 a month pension and work for £12,000 a year", /can't work out a pension in payment.*\(£700\)/],
  ["military pension 9k and job 34k how much tax", /can't work out a pension in payment.*\(£9,000\)/],
  ["40k, rent is two thirds of half my take home", /I left “rent is 2 thirds” out/],
  ["net monthly 2350", /Is £2,350 the salary or the take-home that you want\?/],
  ["what if I also did a saturday job for 6k", /What does each job pay\?/],
  ["29k → i also earn 5k from tutoring", /How do £29,000 and £5,000 belong together/],
  ["paid 13 times a year", /Which salary\?/],
  ["how much can i borrow at 4.5 times 45k", /“borrow/],
  ["would we be better off both on 30k or one on 60k", /two households/],
  ["sold shares with 20k gain tax?", /Capital Gains Tax/],
  ["52k → how can i pay less tax", /I don't advise on paying less tax/],
  ["nurse band 5 salary take home", /I don't know the salaries of pay bands/],
  ["average uk salary after tax", /I don't know average salaries/],
  ["what is the weather in leeds", /I didn't understand that\. I don't know “weather”/],
  ["how much tax on 5000 savings interest", /tax on savings and investments: I left them out \(£5,000\)/],
  ["what tax do I pay on 20k dividends", /On the other £19,500 the tax is/],
  ["tax on £800 a month rental income", /tax on rent received.*\(£800\)/],
  ["overtime 10 hours at time and a half", /Which salary/],
  ["what is the 60% trap", /Between £100,000 and £125,140/],
  [
    "what is the state pension age if I was born 5 June 1968",
    /Born on 5 June 1968, you reach it at 67, on 5 June 2035/,
  ],
  ["born on 20th august 1960 when do i get my state pension", /at 66 years and 5 months, on 20 January 2027/],
  ["born 1957 when do i get state pension", /Born in 1957, you reach it at 66, in 2023/],
  [
    "when can i draw my state pension, born in 1960",
    /Born in 1960, you reach it between 66 and 66 years and 9 months/,
  ],
  ["state pension age born 1 jan 1980", /at 68, on 1 January 2048/],
  ["write me a poem about tax", /I don't know “write” and “poem”/],
  ["can you help me hide income from hmrc", /I don't advise on paying less tax/],
  ["what's half my take home", /Which salary\?/],
  ["what does tax code D0 mean", /higher rate of 40%/],
  ["wots my tax code mean 1383L", /first £13,830 of your pay/],
  ["my tax code is K100", /£1,000 a year is added.*Which salary/],
  [
    "I get £11,973 state pension and a £9,000 private pension, how much tax",
    /Together the State Pension of £11,973/,
  ],
  ["how many NI years do i need", /years of National Insurance/],
  ["pension 120% on 40k", /at most 100%/],
  ["when do i stop paying national insurance", /State Pension age/],
  ["how much pension will 300k get me", /what a pension will pay/],
  ["boss says cost to company is 50k, what's my salary", /the salary is \*\*£44,130\.43/],
  ["take home 30k → sorry i meant 30k net", /Is £30,000 the salary or the take-home/],
  ["freelance 200 a day", /self-employed/],
  ["30000€", /I only work in pounds sterling/],
  ["taxes 2022 30k", /rates for \*\*2022\/23/],
  ["loan of 8k interest 9%", /when a loan is paid off/],
  ["PhD stipend 20,780", /stipends/],
  ["sick pay 2 weeks half pay 30k", /can't work out statutory pay/],
  ["60k scotland → and england? → which one's better", /What should I compare/],
  ["i take home 2k a month → what if i got 10% more", /Is £24,000 the salary or the take-home/],
])("%s: asks", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
  expect(text).toMatch(says);
});
