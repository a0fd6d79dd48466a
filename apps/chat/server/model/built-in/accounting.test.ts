/** No word and no amount is ignored without a note. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Breakdown } from "../../../tax/work-out.ts";
import { asked, day } from "../../../testing/asked.ts";
import { independentPay } from "../../../testing/independent-pay.ts";
import { longestRead, readMessage } from "./read.ts";

const pounds = fc.oneof(
  fc.integer({ min: 13, max: 180 }).map((thousands) => ({ text: `${thousands}k`, value: thousands * 1000 })),
  fc
    .integer({ min: 13_000, max: 180_000 })
    .map((value) => ({ text: `£${value.toLocaleString("en-GB")}`, value })),
  fc
    .integer({ min: 1_100, max: 8_000 })
    .map((monthly) => ({ text: `£${monthly} a month`, value: monthly * 12 })),
  fc.integer({ min: 250, max: 2_500 }).map((weekly) => ({ text: `£${weekly} a week`, value: weekly * 52 })),
);

/** A question about one salary, with what an answer should use. */
const question = fc
  .record({
    salary: pounds,
    start: fc.constantFrom(
      "take home on",
      "what is my take home on",
      "how much is left of",
      "net pay on",
      "how much will I get from",
    ),
    loan: fc.constantFrom<[string, (number | string)[]]>(
      ["", []],
      ["with plan 2", [2]],
      ["plan 1", [1]],
      ["and a postgrad loan", ["postgrad"]],
      ["with plan 4 and postgraduate loan", [4, "postgrad"]],
    ),
    place: fc.constantFrom<[string, boolean]>(
      ["", false],
      ["in Scotland", true],
      ["in Wales", false],
      ["in Glasgow", true],
    ),
    year: fc.constantFrom<[string, string]>(
      ["", "2026/27"],
      ["in 2024/25", "2024/25"],
      ["last tax year", "2025/26"],
      ["2026/27", "2026/27"],
    ),
    bonus: fc.option(fc.integer({ min: 1, max: 20 }), { nil: 0 }),
    pension: fc.option(fc.integer({ min: 1, max: 15 }), { nil: 0 }),
  })
  .map((of) => ({
    ...of,
    text: [
      of.start,
      of.salary.text,
      of.bonus > 0 ? `plus a ${of.bonus}k bonus` : "",
      of.place[0],
      of.loan[0],
      of.pension > 0 ? `with ${of.pension}% pension` : "",
      of.year[0],
    ]
      .filter((part) => part !== "")
      .join(" "),
  }));

test("every figure equals an independent calculator", async () => {
  await fc.assert(
    fc.asyncProperty(question, async ({ text, salary, loan, place, year, bonus, pension }) => {
      const { output, tool, text: words } = await asked(text);
      expect(tool, text).toBe("take_home");
      const mine = output as Breakdown;
      const other = independentPay({
        salary: salary.value,
        taxYear: year[1],
        scottish: place[1],
        plans: loan[1],
        extra: bonus * 1000,
        sacrificed: (salary.value * pension) / 100,
      });
      for (const key of ["gross", "incomeTax", "nationalInsurance", "studentLoan", "takeHome"] as const) {
        expect(Math.abs(mine[key] - other[key]), `${text}: ${key}`).toBeLessThan(0.05);
      }
      expect(words, text).not.toContain("I left");
    }),
    { numRuns: 1_000 },
  );
}, 120_000);

/** Circumstances for which there are rules, and words without any rule. */
const additions = [
  ..."mortgage|kids|dividends|blind|crypto|company car|child benefit|rent|zebra|helicopter|isa|married|jersey|self employed|redundancy|pension|student loan|bonus|overtime".split(
    "|",
  ),
  ..."half my take home|a third of my net pay".split("|"),
  ..."£1,200|7%|£350 a month|12k|£99|3 widgets".split("|"),
  ..."until october|never|twice a week|how long|only until march".split("|"),
];

/** Whether an answer mentions an addition that it did not use. */
function isMentioned(addition: string, text: string): boolean {
  const words = text.toLowerCase().replaceAll(/[,“”]/g, "");
  const known: Record<string, string[]> = {
    kids: ["children"],
    married: ["married"],
    isa: ["savings", "isa"],
    crypto: ["investments"],
    "company car": ["company car"],
    jersey: ["outside the uk"],
    "self employed": ["self-employed"],
  };
  const numbers = addition.replaceAll(",", "").match(/\d{2,}|\d%|[a-z]{4,}/g) ?? [];
  const names = [addition.toLowerCase(), ...(known[addition] ?? []), ...numbers];
  return names.some((name) => words.includes(name.replaceAll(",", "")));
}

test("an addition changes the answer, is named in it, or is asked about", async () => {
  await fc.assert(
    fc.asyncProperty(question, fc.constantFrom(...additions), fc.nat(), async ({ text }, addition, place) => {
      fc.pre(
        !(addition === "student loan" && /loan|plan/.test(text)) &&
          !(addition === "pension" && text.includes(addition)),
      );
      const words = text.split(" ");
      const at = place % (words.length + 1);
      const longer = [...words.slice(0, at), addition, ...words.slice(at)].join(" ");
      const before = await asked(text);
      const after = await asked(longer);
      if (after.tool === undefined) return;
      const isChanged = JSON.stringify(after.input) !== JSON.stringify(before.input);
      expect(isChanged || isMentioned(addition, after.text), `${longer} → ${after.text}`).toBe(true);
    }),
    { numRuns: 1_500 },
  );
}, 300_000);

test("an addition that changes the answer explains the change", async () => {
  await fc.assert(
    fc.asyncProperty(
      question,
      fc.constantFrom("£1,200", "12k", "7%", "£350 a month"),
      async ({ text, salary, bonus }, addition) => {
        const { tool, input, text: words } = await asked(`${text} ${addition}`);
        if (tool === undefined) return;
        // One salary and one bonus: nothing else may have become pay.
        expect(input.salary, words).toBe(salary.value);
        const extras = (input.extras ?? []) as { amount: number }[];
        expect(extras.map(({ amount }) => amount)).toEqual(bonus > 0 ? [bonus * 1000] : []);
      },
    ),
    { numRuns: 500 },
  );
}, 120_000);

test("any text is read in bounded time", () => {
  const words =
    "if i me my on of the take home a month per week 45k 5% plan 2 student loan with and or pension bonus from to work tax ni how much is £ 12 , - ( zebra".split(
      " ",
    );
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 400 }), (chosen) => {
      // A regular expression that backtracks without bound would not end within the test's time.
      const { words: read } = readMessage(chosen.join(" "), day);
      expect(read).toBeLessThanOrEqual(longestRead);
    }),
    { numRuns: 300 },
  );
});
