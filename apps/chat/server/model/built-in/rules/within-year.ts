/** Rules for what changes within a tax year, and for what is saved over time. */
import { monthNumber, months } from "./circumstances.ts";
import { type Rule, rule, says } from "./rule.ts";

const startingMonth = 4;

const earnedBetween = new RegExp(
  `\\b(?:earned|made|paid)\\b[^.?!]*? (?:from|between) (?:${months}) (?:to|and|until|till|-) (?:${months})`,
);

export const withinYear: Rule[] = [
  // "was BR for 3 months, now 1257L"
  rule(
    `(?:for|until|till|since|from|in)(?: (?:the|first|last|about))* (?:N (?:months?|weeks?)|${months})|was|were|had|used to be|been|initially|at first|first`,
    (facts, _, reading) => {
      const [, now] = /\bnow\b.*?\bcode:(\w+)/.exec(reading.text) ?? [];
      if (now === undefined || facts.taxCodes.length < 2) return false;
      facts.codeNow = now;
    },
  ),
  // "earned 9,800 from April to July": a sum, not the pay of a year
  says(
    `(?<=(?:earned|made|earnings|been paid|got paid)(?: (?:of|about|around|roughly|·))* M )(?:from|between|since) (?:${months})(?: (?:to|and|until|till|-) (?:${months}))?`,
    "I counted that sum as all your pay of the tax year.",
  ),
  // "from 30k to 33k in October", "28k until the end of September then 32k"
  rule(
    `(?:in|from|since|as of|until|till|up to|up until|at|by|before|starting)(?: (?:in|the|start of|beginning of|1st of|1st))*(?<end> end of)? (?<month>${months})(?! N)(?: (?:and )?then)?`,
    (facts, { groups, text }, reading) => {
      if (earnedBetween.test(reading.text)) return false;
      const hasTwo =
        reading.money.length > 1 || /\b(?:rise|raise|payrise|increase|promot\w+)\b/.test(reading.text);
      const isStart = !hasTwo && /\b(?:start(?:ed|s|ing)?|began|begin|join(?:ed|ing)?)\b/.test(reading.text);
      if (facts.taxCodes.length > 0 || reading.money.length === 0 || !(hasTwo || isStart)) return false;
      const month = monthNumber(groups.month ?? "");
      const passed = ((month - startingMonth + 12) % 12) + (groups.end ? 1 : 0);
      // April to March is the whole year.
      if (passed % 12 === 0) return true;
      facts.change = {
        months: passed,
        isUntil: /until|till|up to/.test(text),
        isNewFirst: /\b(?:now|currently)\b.*\b(?:was|were|before|previously)\b/.test(reading.text),
        isStart,
        words: text,
      };
    },
  ),
  rule(
    "(?:was|were|start(?:ed|s|ing)?|began|begin|join(?:ed|ing)?|moved?|moving|went|chang(?:ed?|ing)|switched|promoted|then)(?: (?:to|on|at|a|the|my|new|job|role))*",
    ({ change }) => change !== undefined,
  ),
  rule("(?:for|over|in|of)(?: (?:the|whole|full|entire|rest of))* (?:tax |financial )?year", (facts) => {
    if (facts.change === undefined) return false;
    facts.thisYear = true;
  }),
  rule(
    "how (?:long|many (?:months|years|weeks))(?: (?:until|till|before|will|would|it|does|take|to|i|me|we|us|can|could|for|need))* (?:save|saved|have|get|reach|put away|put aside|afford|buy)(?: (?:up|for|a|an|the|deposit|house|of))* M(?: (?:deposit|saved|up|put away|savings|in|house|car|holiday|wedding))*",
    (facts, { amounts: [goal] }) => {
      if (goal === undefined || goal.period !== undefined) return false;
      facts.goal = goal.value;
    },
  ),
];
