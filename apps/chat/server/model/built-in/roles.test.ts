/** Each amount has one role and each telling word one meaning, or the person is asked. Checked against a calculator written apart. */
import { expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";
import { expectFigures } from "../../../testing/figures.ts";
import {
  type IndependentPay,
  independentPay,
  independentSalaryFor as salaryFor,
} from "../../../testing/independent-pay.ts";

const takeHome = (of: IndependentPay) => independentPay(of).takeHome;
const scottish = true;

const answered: [question: string, ...figures: number[]][] = [
  // What is kept of something extra, not the whole.
  [
    "christmas bonus of 750 how much will i see, on 26k",
    takeHome({ salary: 26_750 }) - takeHome({ salary: 26_000 }),
  ],
  ["got a 1,200 backpay this month on 28k, how much of it do i lose", 864],
  ["what will a £1,500 retention bonus be worth after tax on 32k", 1_080],
  ["31k → bonus 10% → how much of it do i keep", takeHome({ salary: 34_100 }) - takeHome({ salary: 31_000 })],
  ["I've a second job paying £150 a week, main is 26k, how much of the 150 do i keep", 7_800 * 0.8],
  // The new salary, not the old one.
  ["if my pay goes up by £2,000 to £39,500 how much more will i see monthly", takeHome({ salary: 37_500 })],
  ["NHS 2.8% rise on 37,338", takeHome({ salary: 38_383.46 }) - takeHome({ salary: 37_338 })],
  // A take-home, not a salary.
  ["annual pay from 2,150 take home a month", salaryFor(25_800)],
  ["£3k a month in my bank, what do i need to earn", salaryFor(36_000)],
  ["£420 a week take home, what's my yearly wage", salaryFor(21_840)],
  ["I'm paid 2,050 a month after tax. What's that as a salary?", salaryFor(24_600)],
  ["I get 1,650 into my account every month, how much do i earn", salaryFor(19_800)],
  ["reverse: 3,100 net pm", salaryFor(37_200)],
  ["42k → i meant net", salaryFor(42_000)],
  ["what hourly rate do i need to clear 30k", salaryFor(30_000), salaryFor(30_000) / 1_950],
  ["how much should i ask for to get 3,200 net a month with plan 2", salaryFor(38_400, { plans: [2] })],
  // Hours, days and weeks belong to the pay that they stand with.
  ["450 day rate 220 days what would I take home", takeHome({ salary: 99_000 })],
  ["30 an hour 16 hours every 2 weeks", takeHome({ salary: 30 * 8 * 52 })],
  ["£11.44 x 37.5 x 52 after tax", takeHome({ salary: 22_308 })],
  ["20 hours a month overtime at £17 on 27k", takeHome({ salary: 27_000, extra: 4_080 })],
  ["I do 30 hours over 4 days at 12.90", takeHome({ salary: 12.9 * 30 * 52 })],
  ["36 hours a week at 13.40", takeHome({ salary: 25_084.8 })],
  [
    "from 40 hours to 32 hours at 15.50 an hour, what do i lose",
    takeHome({ salary: 15.5 * 40 * 52 }) - takeHome({ salary: 15.5 * 32 * 52 }),
  ],
  [
    "my contract says £31,200 pro rata 22.5 hours, full time is 37.5. whats my wage",
    takeHome({ salary: 18_720 }),
  ],
  ["30k for 35 hours, whats that for 20 hours", takeHome({ salary: (30_000 * 20) / 35 })],
  ["£17 an hour 35 hours → what about 40 hours → what if its £18", takeHome({ salary: 18 * 40 * 52 })],
  ["£12.60 an hour 30 hours → full time", takeHome({ salary: 12.6 * 37.5 * 52 })],
  ["33k → what's the hourly rate → for 35 hours", takeHome({ salary: 33_000 }) / 1_820],
  ["36500 after tax and 5% pension weekly", takeHome({ salary: 36_500, sacrificed: 1_825 }) / 52],
  ["hourly 17.25 take home yearly", takeHome({ salary: 17.25 * 1_950 })],
  ["£13 an hour 40 hours → what about 14.50", takeHome({ salary: 14.5 * 40 * 52 })],
  // Whose pay, whose cost, and where.
  [
    "me and my gf earn 30k and 26k and our mortgage is 1100, what's left",
    (takeHome({ salary: 30_000 }) + takeHome({ salary: 26_000 })) / 12 - 1_100,
  ],
  [
    "36k and wife 24k → what if she goes full time on 31k",
    takeHome({ salary: 36_000 }) + takeHome({ salary: 31_000 }),
  ],
  ["edinburgh 38k vs london 40k", takeHome({ salary: 40_000 }) - takeHome({ salary: 38_000, scottish })],
  ["how much do companies pay on top of a 50k salary", 6_750],
  ["how much NI will my boss save if I sacrifice 5k from 50k", 6_000],
  [
    "currently earning 32k, offered 36k but it's in Scotland and I'd move there. better off?",
    takeHome({ salary: 32_000 }),
    takeHome({ salary: 36_000, scottish }),
  ],
  ["weekend work 120 a week on top of 33k", takeHome({ salary: 33_000, otherJobs: [6_240] })],
  // Pensions: each its own kind, share and aim.
  ["I'm on £52k, how much do i need to put in pension to not pay higher rate", 1_730],
  ["how much should I sacrifice on 54k in Scotland to avoid the higher rate", 54_000 - 43_662],
  [
    "can you compare 5% salary sacrifice and 5% relief at source on 50k",
    takeHome({ salary: 50_000, sacrificed: 2_500 }),
    takeHome({ salary: 50_000, reliefAtSource: 2_500 }),
  ],
  ["85k with 20% bonus paid into pension", takeHome({ salary: 85_000 })],
  ["44k → what about my pension → 6%", takeHome({ salary: 44_000, sacrificed: 2_640 })],
  ["28k minus 10% pension minus plan 1", takeHome({ salary: 28_000, sacrificed: 2_800, plans: [1] })],
  ["is plan 5 worse than plan 2 on 45k", takeHome({ salary: 45_000, plans: [5] })],
  ["student loan plan 2 on 45k how much a month", (0.09 * (45_000 - 29_385)) / 12],
  ["two jobs both 13k each", takeHome({ salary: 13_000, otherJobs: [13_000] })],
  ["whats minimum wage for a 20 year old 30 hours a week after tax", takeHome({ salary: 10.85 * 30 * 52 })],
  // Colloquial.
  ["how much is £31k after the taxman's had his cut", takeHome({ salary: 31_000 })],
  ["what does 500 a day work out as a year paye", takeHome({ salary: 130_000 })],
  ["extra grand a month on 40k", takeHome({ salary: 52_000 }) - takeHome({ salary: 40_000 })],
];

test.each(answered)("%s", async (question, ...figures) => {
  await expectFigures(question, figures);
});

/** Questions that were once answered as if they were others. */
test.each<[question: string, says: RegExp]>([
  ["hit 103k with bonus this year - how much does the last 3k cost me", /“bonus” and “cost”/],
  ["how long until my student loan is paid off if i earn 40k and owe 28k", /“long until”/],
  ["I earn 125k should i be worried about the 60% thing", /“60%”/],
  ["36k salary plus 4k london weighting, plan 2, 5%", /“5%”/],
  ["58k with 220 widgets", /“220 widgets”/],
  ["£12.80 an hour 38 hours → what if i did 5 extra hours", /“5 extra hours”/],
  ["50k → and if i earned 10 more", /“10 more”/],
  ["my dad left me 20k do i pay tax", /Inheritance Tax/],
  ["i earn 61k do i have to pay back the money", /“back”/],
  ["got an offer for 55k but lose my 4k car allowance from my 50k job, worth it?", /“lose”/],
  ["£45k basic, £15k OTE", /How do £45,000 and £15,000 belong together/],
  ["real living wage london 37.5 hrs", /“real living wage”/],
  ["going on mat leave, on 35k, what will i get", /£605\.77 a week/],
  ["state pension 12k plus 10k job tax?", /income tax is \*\*£1,886\*\*/],
  ["us tax on 100k", /outside the UK/],
  ["what will 35k be worth next april", /2027\/28/],
  ["I work at tesco for 12k and do 8k at a school", /“tesco”/],
  ["what is zebra on 45k", /“zebra”/],
  ["how far over the threshold is 57k", /“far”/],
  ["what tax code should I have", /^I can't tell whether a tax code is right\.(?!.*“should”)/],
  ["is my tax code right", /^I can't tell whether a tax code is right\.(?!.*“right”)/],
])("%s: asked or declined", async (question, says) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
  expect(text).toMatch(says);
});

test("a follow-up that changes nothing says so", async () => {
  expect((await asked("45k in Scotland → and in Scotland")).text).toContain("That changes nothing");
  expect((await asked("45k → how much a month → how much a week")).text).not.toContain(
    "That changes nothing",
  );
});
