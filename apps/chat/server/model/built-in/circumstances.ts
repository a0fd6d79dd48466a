/** Reading tax years, student loan plans and countries out of plain English. */
import type { Country, StudentLoanPlan } from "../../../contract.ts";
import { beginningOfTaxYearAt, taxYearBeginning } from "../tax-years.ts";
import type { Reader } from "./reader.ts";

export function readTaxYears(reader: Reader, nowMs: number): { taxYears: string[]; thisYear: boolean } {
  const found: { at: string }[] = [];
  const add = (first: number) => found.push({ at: taxYearBeginning(first) });
  reader.take(
    /(?<![\d£$€,.])(?:20)?(?<first>\d\d) ?[/-] ?(?:20)?(?<second>\d\d)(?![\d,.]\d|\d|k)/g,
    (all, groups) => {
      const first = Number(groups.first);
      // "20-30" may be thousands; a year has a slash, or its century.
      const isWrittenAsYear = all.includes("/") || all.startsWith("20");
      if (!isWrittenAsYear || Number(groups.second) !== (first + 1) % 100) return false;
      add(2000 + first);
      return true;
    },
  );
  reader.take(
    /(?<![\d£$€,.-])(?<year>19[89]\d|20[0-4]\d)(?! ?(?:k|grand|thousand|pounds|quid|gbp|m|\/|per|an?|p[mwa]|pcm|monthly|weekly|hourly)\b|[,.]?\d)/g,
    (_, groups) => {
      add(Number(groups.year));
      return true;
    },
  );
  const current = beginningOfTaxYearAt(nowMs);
  const taxYear = "(?:(?:tax|financial|fiscal) )?year";
  reader.take(new RegExp(`\\b(?:the )?${taxYear} before last\\b`, "g"), () => add(current - 2) > 0);
  reader.take(new RegExp(`\\b(?:last|previous|past) ${taxYear}\\b`, "g"), () => add(current - 1) > 0);
  reader.take(new RegExp(`\\b(?:next|coming|following) ${taxYear}\\b`, "g"), () => add(current + 1) > 0);
  let thisYear = false;
  reader.take(new RegExp(`\\b(?:this|current|present) ${taxYear}\\b`, "g"), () => {
    thisYear = true;
    return true;
  });
  return { taxYears: [...new Set(found.map((year) => year.at))], thisYear };
}

const planNumbers: Record<string, string> = {
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
};

export function readPlans(reader: Reader) {
  const plans = new Set<StudentLoanPlan>();
  let unknownPlan: string | undefined;
  let none = false;
  const number = "(?:\\d+|one|two|three|four|five|six)(?![\\d.,]*\\d|k|%| ?grand| ?thousand)\\b";
  reader.take(
    new RegExp(`\\b(?:no|not on|without|ignoring|excluding)(?: any| a| my)? plan ?(?:${number})`, "g"),
    () => {
      none = true;
      return true;
    },
  );
  reader.take(
    new RegExp(`\\bplans? ?(?:${number})(?: ?(?:,|and|&|\\+|plus)(?: plan)? ?(?:${number}))*`, "g"),
    (all) => {
      for (const [word] of all.matchAll(new RegExp(number, "g"))) {
        const digit = planNumbers[word] ?? word;
        if (digit === "1" || digit === "2" || digit === "4" || digit === "5")
          plans.add(Number(digit) as 1 | 2 | 4 | 5);
        else if (digit === "3") plans.add("postgrad");
        else unknownPlan = digit;
      }
      return true;
    },
  );
  reader.take(
    /\b(?:no|without|ignoring|excluding)(?: any| a| my| the)? (?:student )?(?:loans?|debt)\b/g,
    () => {
      none = true;
      return true;
    },
  );
  reader.take(/\bpost-? ?grad(?:uate)?s?(?: (?:student )?loans?)?\b/g, () => {
    plans.add("postgrad");
    return true;
  });
  const said = plans.size > 0 || none;
  return { plans: said ? [...plans] : undefined, unknownPlan, none };
}

export function readCountries(text: string): Country[] {
  const places: [Country, RegExp][] = [
    [
      "England/NI/Wales",
      /\b(?:england|english|wales|welsh|cardiff|northern ireland|northern irish|belfast|london|manchester|birmingham|leeds|bristol|liverpool|rest of (?:the )?uk|ruk|south of the border)\b|\b(?:in|for|from) ni\b|england\/ni/,
    ],
    [
      "Scotland",
      /\b(?:scotland|scottish|scots|scottland|edinburgh|glasgow|aberdeen|dundee|inverness|north of the border)\b/,
    ],
  ];
  return places
    .map(([country, pattern]) => ({ country, at: text.search(pattern) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at)
    .map(({ country }) => country);
}
