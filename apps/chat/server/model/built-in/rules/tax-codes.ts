/** Rules for tax codes. They run before other rules that read "code". */
import { bandsOf, type Nation } from "../../../../tax/rates.ts";
import { splitPrefix, type TaxCode, taxCodeOf, usualTaxCode } from "../../../../tax/tax-code.ts";
import { latestTaxYear } from "../../../../tax/tax-year.ts";
import type { Term } from "../glossary.ts";
import { percent, pounds } from "../wording.ts";
import { type Rule, rule, says } from "./rule.ts";

const letters: Record<string, string> = {
  L: " The L means the standard allowance.",
  M: " The M means that your partner gave you a tenth of an allowance.",
  N: " The N means that you gave your partner a tenth of your allowance.",
  T: " The T means that HMRC works the allowance out with other figures.",
};

function meaningOf({ code, allowance, band }: TaxCode, nation: Nation): string {
  if (band === null) return "No income tax is taken from this pay. National Insurance is.";
  if (band !== undefined) {
    const rate = bandsOf(latestTaxYear, nation).find(({ name }) => name === band)?.rate ?? 0;
    const whose = nation === "Scotland" ? "Scotland's" : "the";
    return `All pay from this job is taxed at ${whose} ${band.toLowerCase()} of ${percent(rate / 10_000)}, with no allowance. It is usual for a second job.`;
  }
  if (allowance < 0)
    return `${pounds(-allowance)} a year is added to this pay before it is taxed, for benefits or tax owed that are more than the allowance. At most half of the pay is taken.`;
  if (allowance === 0)
    return "All pay is taxed, by the usual bands, with no allowance. It is usual when a new employer has no P45 or starter details; what is overpaid comes back once the code is right.";
  const the = code === usualTaxCode ? "The usual tax code: the" : "The";
  return `${the} first ${pounds(allowance)} of your pay in the year is free of tax.${letters[code.at(-1) ?? ""] ?? ""}`;
}

/** @param written as in the message, in lower case: "s1257l" */
export function termOfCode(written: string): Term | undefined {
  const { code, nation = "England" } = splitPrefix(written);
  const known = taxCodeOf(code, nation);
  const of = new Map([
    ["Scotland", "The S means that you live in Scotland, whose rates are due. "],
    ["Wales", "The C means that you live in Wales; its rates are England's. "],
  ]);
  const whose = of.get(splitPrefix(written).nation ?? "") ?? "";
  return known && { name: written.toUpperCase(), meaning: whose + meaningOf(known, nation) };
}

const eachPayday =
  "With W1, M1 or X each payday is taxed by itself: for the same pay all year the sum is the same.";

const asks = "(?:(?:what|how|why)(?: (?:is|does|do|are))?|explain|meaning of|define|tell me about)";
const around =
  "(?:(?:am|i|been|put|was|have|has|got|we|they|me|start|with|by|[a-z]|,|my|the|an?|on|with|under|emergency|tax|codes?|is|of|=|:|mean) )*";
const mark = "(?: code:emergency)?(?: emergency)?(?: (?:tax )?code)?";

export const taxCodeRules: Rule[] = [
  says("emergency tax(?: code)?(?= .*S)", (_, reading) =>
    reading.tokens.some(({ word }) => word.startsWith("code:"))
      ? undefined
      : `I took the emergency code to be 1257L M1. ${eachPayday}`,
  ),
  rule(
    `${asks} ${around}code:(?<code>\\w+)${mark}(?: (?:means?|stand for|is))*(?: (?:on|in)(?: (?:my|the|a|this|his|her))? (?:payslip|wage slip|letter|notice))?(?= ?(?:[?.!]|$))|(?:my )?(?:tax )?code:(?<first>\\w+)${mark} (?:meaning|explained|${asks}(?: (?:does|it|that|this|mean))*)(?= ?[?.!]?$)`,
    (facts, { groups, text }, reading) => {
      const term = termOfCode(groups.code ?? groups.first ?? "");
      if (reading.money.length > 0 || term === undefined) return false;
      const meaning = text.includes("code:emergency") ? `${term.meaning} ${eachPayday}` : term.meaning;
      facts.term = { ...term, meaning };
    },
  ),
  rule(
    `(?:(?:emergency )?(?:tax )?codes?(?: (?:is|of|=|:|on|now|changed|from|to|an?|was))* |from |to )?code:(?<code>\\w+)${mark}`,
    (facts, { groups: { code: written = "" }, text }) => {
      const { code, nation } = splitPrefix(written);
      if (!taxCodeOf(code, nation ?? "England") && !taxCodeOf(code, "Scotland")) return false;
      facts.taxCodes.push(written);
      if (nation && !facts.nations.includes(nation)) facts.nations.push(nation);
      if (text.includes("code:emergency")) facts.remarks.push(eachPayday);
    },
  ),
];
