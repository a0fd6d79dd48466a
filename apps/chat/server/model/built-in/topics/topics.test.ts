/** What people type about topics next to a pay slip, and what each answer must contain. Written before the rules. */
import { describe, expect, test } from "vitest";
import { asked, day } from "../../../../testing/asked.ts";
import { subjectRules } from "../subjects.ts";
import { topics } from "./all.ts";
import { answerTopic } from "./answer-topic.ts";
import { sentencesOn } from "./explain-subject.ts";

type Row = [question: string, ...owed: (string | RegExp)[]];

const statutoryPay: Row[] = [
  ["how much is ssp a week now", "£123.25", "80%", "gov.uk"],
  ["statutory sick pay rate", "£123.25"],
  ["when does ssp start", "first"],
  ["what is sick pay in uk", "£123.25"],
  ["do i get sick pay from day one", "first"],
  [
    "been off sick for 3 weeks and only getting ssp, im normaly on 520 a week. how much am i loosing",
    "£369.75",
    "£1,190.25",
  ],
  ["ssp on 140 a week", "£112"],
  ["what was ssp in 2025/26", "£118.75"],
  ["off sick 2 weeks on 28k just ssp", "£246.50"],
  ["statutory sickpay 2024/25", "£116.75"],
  ["how much is maternity pay", "90%", "£194.32", "39 weeks"],
  [
    "Going on maternity leave in September, my employer only does statutory. I'm on £31,200 a year. How much will I be paid each week for the whole of it and is it taxed?",
    "£540",
    "£194.32",
    "taxed",
  ],
  ["smp on 24k", "£415.39", "£194.32"],
  ["maternity pay if i earn 600 a week", "£540"],
  ["maternaty pay how much", "£194.32"],
  ["whats statutory paternity pay", "£194.32"],
  ["paternity pay on 35k", "£194.32", "£388.64"],
  ["statutory maternity rate 2025-26", "£187.18"],
  ["mat pay 2600 a month", "£540"],
  ["smp 180 a week", "£162"],
  ["smp if i only earn 100 a week", "£129"],
  ["is maternity pay taxed", "taxed"],
  ["adoption pay how much", "£194.32"],
  ["shared parental pay rate", "£194.32"],
];

const redundancy: Row[] = [
  ["statutory redundancy pay 11 years service age 44 on 620 a week", "£7,750", "12.5 weeks"],
  ["how much redundancy will i get", "£751", "£22,530"],
  ["redundancy pay 35 yrs old 6 years 500 a week", "£3,000", "6 weeks"],
  ["im 52, 20 years service, 900 a week redundancy", "£19,150.50", "25.5 weeks", "£751"],
  ["what is the redundency cap", "£751"],
  ["is redundancy taxed", "£30,000"],
  ["redundancy cap 2025/26", "£719"],
  [
    "Made redundant, getting £45,000 settlement plus notice. I earn 41k and I've worked nearly the whole tax year. How much of the 45k will be taxed and what will I actually get?",
    "£15,000",
    "£4,146",
    "£40,854",
    "Notice",
  ],
  ["redundancy payment of 40k", "£10,000", "£30,000"],
  ["settlement agreement 25k tax", "£30,000", "free of tax"],
  ["50k redundancy on a 60k salary how much tax", "£20,000", "£8,000", "£42,000"],
  ["pilon taxed?", "notice", "taxed"],
  ["payment in lieu of notice tax free?", "taxed"],
  ["redundancy 1 year service age 30, 500 a week", "two"],
  ["am i entitled to redundancy pay after 18 months", "two"],
];

const family: Row[] = [
  ["i earn 9k and my husband 34k can we do marriage allowance", "£252", "Yes"],
  ["marriage allowance how much", "£252", "£1,260"],
  ["who can claim marriage allowence", "£252", "£50,270"],
  ["wife earns 8k i earn 60k marriage allowance", "No", "£50,270"],
  ["marriage tax allowance im on 12k partner 30k", "£114"],
  ["marriage allowance scotland wife 6k me 45k", "No", "£43,662"],
  ["can i backdate marriage allowance", "four"],
  ["does my wife not working mean we get marriage allowance", "£252"],
  ["how much child benefit for two kids", "£44.95", "£2,337.40"],
  ["80k salary 3 children is it worth claiming child benefit at all", "100%", "£3,268", "National Insurance"],
  ["how much child benefit do we have to pay back if i earn 67k, two kids", "35%", "£818"],
  ["child benefit rates", "£27.05", "£17.90"],
  [
    "I earn 61,500 and put £150 a month in a SIPP. do i still owe the child benefit charge",
    "£59,250",
    /no charge/i,
  ],
  ["high income child benefit charge 70k 1 child", "50%", "£703"],
  ["hicbc", "£60,000", "£80,000"],
  ["child benefit charge 72k", "60%"],
  ["do i pay any child benefit back on 55k salary 2 kids", /no charge/i],
  ["child benifit for 1 child", "£27.05", "£1,406.60"],
];

const otherIncome: Row[] = [
  ["dividend tax on 20k if my salary is 12570", "£2,096.25", "10.75%"],
  [
    "I run a small ltd company, just me. I pay myself 12,570 as salary and was going to take 45k in dividends this year. I've no other income. What will my personal tax bill be next January and do I need to put aside more than last year?",
    "£6,608.75",
    "£5,718.75",
  ],
  ["how much tax on 20k dividends with a 50k salary", "£6,971.25"],
  ["how are dividends taxed", "10.75%", "35.75%", "39.35%", "£500"],
  ["dividend allowance", "£500"],
  ["tax on 2k dividends i earn 30k", "£161.25"],
  ["dividend tax rates 2025/26", "8.75%"],
  ["i get 400 in dividends on a 45k salary do i pay tax", "£0"],
  ["tax on 3k dividens 2025/26 salary 30k", "£218.75"],
  ["£1,400 interest on savings, salary 31k, do i owe anything", "£400", "£80"],
  ["earn 55k and had £900 savings interest tax?", "£400", "£160"],
  ["personal savings allowance", "£1,000", "£500"],
  ["do i pay tax on savings interest", "£1,000", "£5,000"],
  ["2k bank interest on 14k salary tax?", "£0"],
  ["3000 savings interest and 40k job how much tax", "£2,000", "£400"],
  [
    "I earn 42k and rent out my old flat, after costs it makes 9,600 a year, no mortgage on it. What extra tax does that mean? A friend told me it would push me in to the higher rate and Id lose half of it",
    "£2,186",
    "£7,414",
  ],
];

const selfEmployment: Row[] = [
  ["self employed plumber, made 38,400 profit in 25/26, what do i owe", "£5,166", "£1,549.80", "£6,715.80"],
  ["self employed 45k", "£6,486", "£1,945.80"],
  [
    "delivery driver self employed about 600 a week, fuel and van costs 140. what should I put away each week for tax",
    "£23,920",
    "£2,270",
    "£681",
    "£56.75",
  ],
  ["do self employed pay national insurance", "6%", "£12,570"],
  ["class 4 ni rates", "6%", "2%"],
  ["class 2 national insurance self employed 2026/27", "£3.65"],
  ["sole trader profit 20k tax", "£1,486", "£445.80"],
  [
    "I have a normal PAYE job on 28k and on the side I do photography at weekends, cleared about £6,000 after costs. I've never done a tax return before. How much tax will I owe on the photography and do I pay national insurance on it too?",
    "£1,200",
    "Class 4",
    "£0",
  ],
  [
    "i make about £700 a year selling my old clothes on vinted and have a normal job on 30k do i need to pay tax on it",
    "No",
    "£1,000",
  ],
  ["how much can i earn from a side hustle before tax", "£1,000"],
  ["trading allowance", "£1,000"],
  ["i earn 35k and make 5k on etsy how much tax", "£1,000"],
  [
    "I'm a labourer on CIS, £850 a week and they take 20% off. Worked 46 weeks last year and had about 3 grand of expenses, tools and travel and that. How much will I get back?",
    "£7,820",
    "£6,117.80",
    "£1,702.20",
  ],
  ["what is cis deduction rate", "20%", "30%"],
  ["cis 1000 a week how much do they take", "£200"],
  [
    "umbrella contract 450 a day inside ir35, 5 days a week. roughly what do i end up with per week after everything",
    "estimate",
    "£1,938.89",
    "£1,324.42",
  ],
  [
    "why is employers NI being taken out of my umbrella pay? i thought the employer pays it",
    "assignment rate",
    "15%",
  ],
  ["inside ir35 take home on 500 a day", "estimate", "£2,500 a week"],
  ["what is ir35", "employee"],
  ["how do umbrella companies work", "15%", "0.5%"],
  ["umbrela company 300 a day 4 days a week take home", "£1,200 a week"],
];

const expenses: Row[] = [
  [
    "my employer pays 25p a mile and i do 6000 miles a year in my own car can i claim tax back",
    "55p",
    "£1,800",
    "£360",
    "£720",
  ],
  ["mileage allowance rate", "55p", "25p"],
  ["12000 work miles no mileage paid what can i claim", "£6,000", "£1,200"],
  ["hmrc mileage 2025/26", "45p"],
  ["can i still claim working from home tax relief", "6 April 2026", "£6"],
  ["wfh allowance 2026", "6 April 2026"],
  ["work from home tax relief 6 pounds a week", "6 April 2026"],
  ["NMC fee £120 can i claim it how much do i get", "£24", "£48"],
  ["payroll giving £50 a month im on 40% what does it cost me", "£30"],
];

const pensions: Row[] = [
  [
    "I get the full state pension and a private pension of £9,200 a year. Will I pay tax and how much?",
    "£21,747.60",
    "£1,835.52",
    "no National Insurance",
  ],
  [
    "My dad is 67 and still works, he earns 24k and he has just started getting the full new state pension as well. His take home has dropped and he thinks the company have made a mistake. How much tax should he be paying in total and should national insurance still be coming out?",
    "£36,547.60",
    "£4,795.52",
    "no National Insurance",
  ],
  ["how much is the state pension", "£241.30", "35"],
  ["full state pension 2025/26", "£230.25"],
  ["state pension and 15k private pension tax", "£27,547.60", "£2,995.52"],
  ["take 16k out of pension no other income tax", "£4,000", "£12,000", "£0"],
  [
    "I'm 58, have a pension pot of 80k and want to take 20k out to do the kitchen. I still work and earn 30k. How much tax will I pay on the 20k, and does it affect what I can pay in afterwards?",
    "£5,000",
    "£3,000",
    "£17,000",
    "£10,000",
  ],
  ["pension lump sum how much tax", "25%"],
  ["take 40k lump sum from my pension, salary 35k, tax?", "£30,000", "£8,946"],
  ["can i get a refund if i was on emergency tax for 2 months", "P800"],
  ["emergency tax on pension withdrawal how do i claim it back", "P55"],
  ["what is a p55 form", "P55"],
  ["hmrc sent me a P800 says i owe 412 how do they take it off me, all at once??", "£34.33", "£3,000"],
  ["do i pay ni on my state pension", "no National Insurance"],
  ["retired with pension of 18k", "£1,086", "pension in payment"],
  [
    "i only earn £115 a week and no NI comes off, will it affect my state pension",
    "£129",
    "£18.40",
    "qualifying year",
  ],
];

const others: Row[] = [
  ["company pays 45p per mile 8000 miles", "£800", "£160"],
  ["should we claim marriage allowance hubby earns 48k i dont work", "£252"],
  ["child benefit 3 kids 65k", "25%", "£817"],
  ["child benefit if i earn 65k", "25%"],
  ["my partner earns 62k and i earn 30k do we lose child benefit, 2 kids", "10%", "£233"],
  ["child benefit charge 60k salary plus 5k bonus 2 children", "25%", "£584"],
  ["i earn 70k with 10% pension do i pay child benefit charge", "£63,000", "15%"],
  ["10k dividends tax scotland 45k salary", "£2,203.76"],
  ["80k salary 50k dividends how much tax do i pay on the dividends", "£22,899.21", "£5,028"],
  ["how much tax on savings interest of £3k if i earn 16k", "£86", "starting rate"],
  ["tax on side hustle 3k with 40k job", "£600"],
  ["state pension plus 25k salary at 68 tax", "£4,995.52"],
  ["25% tax free lump sum from 200k pot", "£50,000"],
  ["redundancy 25 years service aged 60 earning 38k a year", "£21,557.69"],
  ["i earn 50k from my job and 15k self employed how much tax", "£5,946", "at most £145.80"],
  ["p800 says they owe me 250", /^Overpaid tax comes back/],
];

const employersCost: Row[] = [
  [
    "what will i get paid in hand if my CTC is 70000 pounds all in including pension and employer ni",
    "£59,957.63",
    "3%",
  ],
  ["total cost to company 60k what salary is that", "£52,826.09"],
  ["ctc 50k", "£44,130.43"],
];

const rows = [
  ...statutoryPay,
  ...redundancy,
  ...family,
  ...otherIncome,
  ...selfEmployment,
  ...expenses,
  ...pensions,
  ...employersCost,
  ...others,
];

test("at least 100 phrasings", () => {
  expect(rows.length).toBeGreaterThanOrEqual(100);
});

test.each(rows)("%s", async (question, ...owed) => {
  const { text, tool } = await asked(question);
  expect(tool, text).toBeUndefined();
  for (const part of owed) {
    if (typeof part === "string") expect(text).toContain(part);
    else expect(text).toMatch(part);
  }
  expect(text).toMatch(/\]\(https:\/\/www\.gov\.uk\//);
  expect(text).not.toContain("NaN");
});

describe("left to the reader", () => {
  test.each([
    "I earn 38k and get child benefit, what's my take home",
    "take home on 45k",
    "take home on 45k with child benefit",
    "45k with dividends",
    "50k salary, maternity cover job, take home",
    "i'm not self employed, 30k take home",
    "i used to be self employed, now on 35k what do i get a month",
    "£250 a day contractor",
    "limited company director 50k",
    "dividends 5k vs bonus 5k on 40k",
    "tax on dividends 20k, salary 40k, pension 5%",
    "self employed 45k with 5k pension",
    "corporation tax on 50k",
    "capital gains on 20k profit",
    "what is my tax on 50k",
    "I have 30k salary and 2k savings interest",
    "dividends 20k on top of 50k",
    "45k with 10k rental income",
    "redundancy 20k or 35k",
    "mileage on a bike",
    "redundancy in belfast 10 years service age 45, 600 a week",
    "statutory maternity pay for self employed",
    "500 a day outside ir35",
    "day job 33k, uber eats about 4k a year",
    "class 1 ni on 33k",
    "sick pay 2 weeks half pay 30k",
    "maternity on full pay 30k",
    "my wife is on maternity leave, i earn 42k what do i take home",
    "im on 52k married with 2 kids how much tax do i pay",
    "state pension age",
    "when can i get my state pension",
    "self employed in spain 40k",
    "dividends of $20k tax",
    "statutory maternity pay 2027/28",
    "tax on 60k salary with 3k marriage bonus",
    "nhs band 5 mileage",
    "pension 5% on 40k",
    "is a lump sum bonus of 5k taxed more on 40k",
    "employer cost on 40k",
    "how much does it cost my employer to pay me 40k",
    "",
    "hello",
  ])("%s", (question) => {
    expect(answerTopic(question, day)).toBeUndefined();
  });
});

test("says whose year it is if the current year has no table", () => {
  const later = Date.parse("2028-06-01T12:00:00Z");
  expect(answerTopic("how much is ssp", later)?.text).toContain("2026/27");
});

test("the figures are those of the year of the clock", () => {
  const earlier = Date.parse("2025-06-01T12:00:00Z");
  expect(answerTopic("how much is ssp", earlier)?.text).toContain("£118.75");
  expect(answerTopic("dividend tax rates", earlier)?.text).toContain("8.75%");
});

test("each subject that a topic names exists and is explained with its source", () => {
  const named = topics.flatMap(({ subject }) => subject ?? []);
  expect(named.length).toBeGreaterThan(10);
  for (const name of named) {
    const subject = subjectRules.find((rule) => rule.subject.name === name)?.subject;
    expect(subject, name).toBeDefined();
    expect(subject && sentencesOn([subject]).join(" "), name).toMatch(
      /\(\[source\]\(https:\/\/www\.gov\.uk\//,
    );
  }
});
