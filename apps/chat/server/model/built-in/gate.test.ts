/** An answer holds what is asked, with each amount in its role: otherwise the missing part is asked for or declined by name. */
import { describe, expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";
import { expectFigures } from "../../../testing/figures.ts";
import { independentPay, independentSalaryFor as salaryFor } from "../../../testing/independent-pay.ts";

const of = (salary: number) => independentPay({ salary });

const answered: [question: string, ...figures: number[]][] = [
  // The figure that is asked for.
  ["what's the gross monthly of 42k", 3_500],
  ["what hourly rate is 28k for 35 hours", 28_000 / 1_820],
  ["what's my taxable income on 30k", 17_430],
  ["how much is 5% of 38k into pension a month", 1_900 / 12],
  ["what's the NI rate on 60k", 5.4],
  ["how much tax at each band on 60k", 37_700, 9_730],
  ["does a 2k pay rise on 49,500 push me into 40%", 1_230],
  ["if my net is 2k a month how much tax did i pay", independentPay({ salary: salaryFor(24_000) }).incomeTax],
  ["i have a 2nd job at 300 a month, my main is 27k, how much tax on the second one", 720],
  ["got a 500 quid xmas bonus, on 23k, how much after tax", 360],
  ["I earn 98k and I'm getting an 8k bonus, would I lose my allowance and by how much", 9_570],
  ["what's the most I can earn without paying NI", 12_570],
  ["minimum wage for an 18 year old", 10.85],
  ["I'm 22 and get £11.90 an hour, is that legal", 12.71],
  ["total cost to the company of hiring someone on 32k", 36_050],
  ["How much National Insurance would I save by salary sacrificing 200 a month on 40k", 192],
  ["What is the difference in tax between 49k and 51k", 546],
  ["48k with 4% pension → how much goes in the pension", 160],
  ["35k → what would I need to get 200 more a month", salaryFor(of(35_000).takeHome + 2_400)],
  ["what's plan 5", 25_000],
  ["earning 38k, how much goes to the government", 7_120.4],
  ["48k → what would a 2k bonus add", 1_440],
  ["How much does a £35k worker cost with on-costs?", 39_500],
  ["is 24k for 40 hours below minimum wage", 11.54, 12.71],
  [
    "I want to drop a day a week, I'm on 46k full time. how much do I lose",
    of(46_000).takeHome - of(36_800).takeHome,
  ],
  // Each amount in its role.
  ["Ive been offered 46,500 plus 3k sign on, what do I actually get in year one", of(49_500).takeHome],
  ["how much more tax will I pay if my salary goes up 6k from 47k", 1_746],
  [
    "I earn £2,950 gross a month, wife £1,700, how much net together?",
    of(35_400).takeHome + of(20_400).takeHome,
  ],
  ["my gross pay this month was 3,100 what should I get", of(37_200).takeHome / 12],
  ["can you work out 19.5 hours at 13.68 per hour, paid monthly", of(13.68 * 19.5 * 52).takeHome / 12],
  [
    "whats the take home difference monthly if my pension goes from 3% to 8% on 33k",
    (of(33_000 * 0.97).takeHome - of(33_000 * 0.92).takeHome) / 12,
  ],
  ["i live in Cardiff and earn 31k net monthly?", of(31_000).takeHome / 12],
  ["how much would 40k be if I didn't have to pay student loan plan 2", of(40_000).takeHome],
  ["six figure salary of 105000 what do i keep", of(105_000).takeHome],
  ["2,300 a month → and the year?", of(27_600).takeHome],
  [
    "£14.45 an hour up from £13.10 for 38 hours, how much extra each week",
    (of(14.45 * 38 * 52).takeHome - of(13.1 * 38 * 52).takeHome) / 52,
  ],
  ["how much will two people earning 22k each have after tax", 2 * of(22_000).takeHome],
  ["I'm 70 with a part time job at 15k. deductions?", 486],
  ["0.8 of 37k take home?", of(29_600).takeHome],
  ["£18.40 ph, mon-thu 8 hours a day, net", of(18.4 * 32 * 52).takeHome],
  ["23 hrs a week at 13.20, what will my 4 weekly pay be", of(13.2 * 23 * 52).takeHome / 13],
  ["£72,000 / 12 after tax", of(72_000).takeHome / 12],
  ["i pay £180 a month student loan on plan 2 is that right for 52k", 169.61],
  ["how much tax have I paid if I took home 30k this year", salaryFor(30_000)],
  [
    "£13.40 an hour 39 hours plus 6 hours overtime at time and a half, weekly net",
    of((13.4 * 39 + 6 * 13.4 * 1.5) * 52).takeHome / 52,
  ],
  ["60k with 5% pension (net pay)", 60_000 - 3_000 - of(57_000).incomeTax - of(60_000).nationalInsurance],
  ["got a job paying 2,400 a month before tax whats that after", of(28_800).takeHome / 12],
  ["£45,000 → what would 50k be instead", of(50_000).takeHome],
];

test.each(answered)("%s", async (question, ...figures) => {
  await expectFigures(question, figures);
});

const declined: [question: string, first: RegExp, never?: RegExp][] = [
  ["at what salary do I pay £1000 a month tax", /^I can't work back from a deduction/, /12,000/],
  ["what would I have to earn for my tax to be 10k", /^I can't work back from a deduction/],
  ["earn 38k part time 4 days, what would full time be", /^I can't work back from part-time pay/],
  ["if my employer pays 15% NI on me at 33k how much is that", /“15%”/, /take home/],
  [
    "is my 1257L code right if I earn 45k and have a company car",
    /^I can't tell whether a tax code is right/,
  ],
  ["£2,100 a month → is that good", /^I can't judge/],
  ["going part time 60% on 55k, what would my monthly pay drop by", /^I need both pays/],
  [
    "offered a job at £41k, currently £36.5k, with a longer commute costing £150 a month. Am I better off?",
    /I left the commute out/,
    /£1,800/,
  ],
  ["what was my salary before a 4% rise to 31,200", /^I can't work back from the pay after a rise/],
  ["what would I earn net if I only paid 20% tax on 80k", /^I only use the published rates/],
  ["how much would two people on 30k each save compared to one on 60k", /^I can't compare two households/],
  [
    "between me and my wife we make 84k, she earns 50 of that. What is our joint take home?",
    /^What does each of you earn/,
  ],
  ["how much notice pay do i get on 36k", /notice/, /take home/],
  ["30k, exempt from NI", /“exempt”/, /Northern Ireland/],
  ["when is the self assessment deadline", /31 January/, /P800/],
  // The rest is answered, after what is not.
  ["can I afford a car on 30k", /^I can't tell what you can afford.*£25,119\.60/s],
  ["how much could I borrow for a mortgage on 42k", /^I can't tell what you can afford or borrow/],
  ["should I take a job at 35k", /^I can't advise.*£28,719\.60/s],
  ["why is my tax so high on 50k", /^I can't tell why.*£7,486/s],
  ["do I need to do a tax return on 110k", /^I can't tell whether you must send a tax return/],
  ["am I entitled to tax free childcare on 102k", /£100,000/, /take home/],
  ["what tax code should i have on 30k with one job", /^The usual tax code.*1257L/],
  ["take home on 46k if I buy 10 days holiday", /bought holiday out/, /does not change/],
  ["40k plus 200 a month expenses paid by work", /£200/, /is left/],
];

describe("what the answer does not hold", () => {
  test.each(declined)("%s", async (question, first, never) => {
    const { text } = await asked(question);
    expect(text).toMatch(first);
    if (never) expect(text).not.toMatch(never);
  });
});
