import { readAmounts } from "./amounts.ts";
import type { Reader } from "./reader.ts";

/** A change of salary: by pounds a year, or by a share of it (0.05 is 5%). Negative for a cut. */
export type Rise = { pounds: number } | { share: number };

const percentage = "(?<percent>\\d{1,3}(?:\\.\\d+)?) ?(?:%|per ?cent)";
const sum = "(?<sum>£? ?\\d[\\d,]*(?:\\.\\d+)? ?(?:k|grand|thousand)?)(?! ?\\d)";
const up = "more|extra|pay ?rise|raise|rise|increase|uplift|higher|on top";
const down = "less|lower|pay ?cut|cut|decrease|reduction";
const lead =
  "(?:(?:an? )?(?:pay ?rise|raise|rise|increase|uplift|(?<cut>pay ?cut|cut|decrease|reduction)) of|add|adding|another|an? (?:extra|additional|further)|an?other)";

const patterns = [
  new RegExp(`${percentage} (?:pay )?(?:(?:${up})|(?<cut>${down}))\\b`, "g"),
  new RegExp(`\\b${lead} ${percentage}`, "g"),
  new RegExp(`${sum} (?:pay )?(?:(?:${up})|(?<cut>${down}))\\b`, "g"),
  new RegExp(`\\b${lead} ${sum}(?!\\w)`, "g"),
];

/** Takes "5k more", "a pay rise of 3%", "£2,000 less" out of a text; the last one said counts. */
export function readRise(reader: Reader): Rise | undefined {
  let rise: Rise | undefined;
  for (const pattern of patterns) {
    reader.take(pattern, (_, { percent, sum, cut }) => {
      const sign = cut === undefined ? 1 : -1;
      if (percent !== undefined) rise = { share: (sign * Number(percent)) / 100 };
      else {
        const [amount] = readAmounts((sum ?? "").trim());
        if (amount === undefined) return false;
        rise = { pounds: sign * amount.value };
      }
      return true;
    });
  }
  return rise;
}

/** The salary after a rise, to the penny, and never below nothing. */
export function raised(salary: number, rise: Rise): number {
  const after = "pounds" in rise ? salary + rise.pounds : salary * (1 + rise.share);
  return Math.max(0, Number(after.toFixed(2)));
}
