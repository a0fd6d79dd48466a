import { absorbed } from "../noise.ts";
import { ageRules, bareLoan, loanRules, nationRules, yearRules } from "./circumstances.ts";
import { connectives } from "./connectives.ts";
import { amountPeriods, shownPeriods } from "./periods.ts";
import {
  allowanceRule,
  askRules,
  figureRules,
  minimumWageRules,
  netKnown,
  netRules,
  neutralCircumstances,
  openingRules,
  payRules,
  subjectsRules,
  talkRules,
  termRules,
} from "./questions.ts";
import { type Rule, rule } from "./rule.ts";
import { shareAsked, shareRules } from "./shares.ts";
import {
  barePension,
  bonusIntoPension,
  bonusRise,
  extraRules,
  jobRules,
  judgement,
  keptOf,
  keptOfExtra,
  multipleRules,
  netRise,
  outgoingRules,
  partnerRules,
  pensionCost,
  pensionRules,
  riseRules,
  thisMonth,
} from "./sums.ts";
import { taxCodeRules } from "./tax-codes.ts";
import { withinYear } from "./within-year.ts";
import { workingTime } from "./working-time.ts";

/**
 * All rules in the order in which they are tried: a rule comes before other rules that could misread its
 * words.
 * @param current the calendar year in which the current tax year began
 */
export function rulesFor(current: number): readonly Rule[] {
  return [
    ...openingRules,
    ...taxCodeRules,
    ...withinYear,
    ...termRules,
    ...shareRules,
    ...workingTime,
    ...yearRules(current),
    ...amountPeriods,
    ...ageRules,
    ...shownPeriods,
    rule(absorbed, undefined, "absorb"),
    ...talkRules,
    ...minimumWageRules,
    ...loanRules,
    ...pensionRules,
    pensionCost,
    ...nationRules,
    ...outgoingRules,
    shareAsked,
    ...neutralCircumstances.slice(-1),
    ...subjectsRules,
    netRise,
    ...netKnown,
    ...netRules,
    allowanceRule,
    bonusRise,
    ...extraRules,
    bonusIntoPension,
    thisMonth,
    ...jobRules,
    keptOf,
    ...keptOfExtra,
    ...partnerRules,
    ...multipleRules,
    ...riseRules,
    ...neutralCircumstances,
    judgement,
    ...askRules,
    ...figureRules,
    ...bareLoan,
    ...barePension,
    ...payRules,
    ...connectives,
  ];
}
