/** Kinds of questions that were once read the wrong way round, or of which a part was lost. Checked against a calculator written apart. */
import { expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";
import {
  type IndependentPay,
  independentPay,
  independentSalaryFor,
} from "../../../testing/independent-pay.ts";

type Pay = Omit<IndependentPay, "taxYear">;
const takeHome = (of: Pay) => independentPay({ taxYear: "2026/27", ...of }).takeHome;
const salaryFor = (net: number) => independentSalaryFor(net, { taxYear: "2026/27" });
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
];

test.each(rows)("%s", async (question, ...figures) => {
  const { text } = await asked(question);
  const numbers = [...text.matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([number]) =>
    Number(number.replaceAll(",", "")),
  );
  for (const figure of figures) {
    const isThere = numbers.some((number) => Math.abs(number - figure) < 0.03);
    expect(isThere, `${figure.toFixed(2)} in: ${text}`).toBe(true);
  }
});

test.each<[question: string, says: RegExp]>([
  ["25 days of pay on 40k", /That is one day's: for 25 days take it 25 times\./],
  ["38k, 10 days unpaid leave", /I left the unpaid leave out/],
  ["45k with 25 days holiday", /Paid holiday does not change the year's pay\./],
  ["teacher 42k in the teachers pension 9.6%", /What you work as does not change these figures\./],
  ["paid 24 times a year 36k", /I left the 24 payments a year out/],
  ["paid twice a month 36k", /I left “twice a month” out/],
  ["2x my salary of 30k", /2 times £30,000 is the salary that I took\./],
  ["45k with 4x salary life cover", /I left “4 x” and “life cover” out/],
  ["what's half my take home on 40k", /I left “half” out/],
])("%s: accounts for what it does not work out", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeDefined();
  expect(text).toMatch(says);
});

test.each<[question: string, says: RegExp]>([
  ["2x salary", /On which salary/],
  ["net monthly 2350", /Is £2,350 the salary, or what you want to take home\?/],
  ["what if I also did a saturday job for 6k", /What does each job pay\?/],
  ["29k → i also earn 5k from tutoring", /How do £29,000 and £5,000 belong together/],
  ["paid 13 times a year", /On what salary\?/],
  ["how much can i borrow at 4.5 times 45k", /“borrow at 4\.5 times”/],
])("%s: asks", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
  expect(text).toMatch(says);
});
