/**
 * Words that say how the explained parts belong together. They run last: each takes a telling word only where the facts
 * show that another rule understood what the word joins. `·` is a word that a rule has taken.
 */
import type { Facts } from "../facts.ts";
import { type Rule, rule } from "./rule.ts";

/** Takes the words if the facts hold. */
const where = (source: string, holds: (facts: Facts) => boolean | undefined): Rule => rule(source, holds);

const compares = ({ comparison, asksKept, asksLess, rise, chart, range, withAndWithout, ...facts }: Facts) =>
  comparison ||
  asksKept ||
  asksLess ||
  rise !== undefined ||
  chart ||
  range ||
  withAndWithout !== false ||
  facts.isOffer ||
  facts.netRise !== undefined ||
  facts.pensionBefore !== undefined ||
  facts.nations.length > 1 ||
  facts.taxYears.length > 1 ||
  facts.taxCodes.length > 1;
const asksFigure = ({ figures }: Facts) => figures.length > 0;
const gives = ({ rise, extras, employerPension, isOffer, pension, figures, subjects }: Facts) =>
  rise !== undefined ||
  subjects.length > 0 ||
  extras.length > 0 ||
  employerPension ||
  isOffer ||
  typeof pension === "object" ||
  figures.includes("employer");
const asksRates = ({ asksForRates, figures }: Facts) =>
  asksForRates || figures.some((figure) => figure === "tax-band" || figure === "student-loan");

export const connectives: Rule[] = [
  where("(?:put|puts|putting|moved|got)(?: me)?(?: on(?:to)?)?", ({ taxCodes }) => taxCodes.length > 0),
  where("(?:put|puts|take|takes)(?: (?:me|you|us))?(?: (?:in|into|over))*", asksRates),
  where("matched(?: by (?:them|work))?", ({ pension }) => typeof pension === "object"),
  where("take|off", ({ outgoings }) => outgoings.length > 0),
  rule("(?:location|region|country|area)(?= (?:: )?·)"),
  rule("(?:a )?break(?: (?:it|this|that))? ?down"),
  where("add(?:s|ed|ing)?(?: (?:on )?to)?|(?:in |from |starting )?(?:next|this|last) month", compares),
  where("(?:is |are |get )?(?:worked|calculated|figured)(?: out)?", asksFigure),
  where("(?:ask(?:ing)?(?: for)?|survive|live on)", ({ wantsSalaryForNet }) => wantsSalaryForNet),
  where("owe|(?:what )?change[sd]?|including(?= ·)", (facts) => asksFigure(facts) || compares(facts)),
  rule("(?:plus|and|,)(?= (?:·|M))|(?<=(?:·|M)(?: (?:and|,))? )plus"),
  rule("on top(?: of)?(?= (?:·|M))|(?<=· )(?:on )?top(?: of)?"),
  rule("(?:after|minus|less|before)(?= ·)"),
  where("between(?= (?:·|S))", compares),
  where(
    "(?:how much )?(?:more|extra|less|better|higher|lower)(?: (?:is|would|will) (?:that|it))?(?: than(?: (?:someone|somebody|people))?)?",
    compares,
  ),
  where(
    "(?:is it |it )?(?:worth(?: it)?|worth (?:it )?(?:taking|going for|accepting))(?! ·)|(?:taking|take|accepting)(?= (?:·|M))",
    compares,
  ),
  where(
    "(?:moving|move|moved|moves|switching|switch|switched|promotion|dropping|drop|increase|increasing|up|starting)(?! M)",
    (facts) => compares(facts) || facts.fraction !== undefined || facts.pensionBefore !== undefined,
  ),
  where(
    "(?:a |the )?(?:second|2nd|other|another|side|weekend|new|extra|additional)(?: (?:job|one|role))?",
    ({ secondJobs, hasTwoJobs, taxCodes }) => secondJobs.length > 0 || hasTwoJobs || taxCodes.length > 0,
  ),
  rule("(?:in )?nhs|(?:public|private) sector"),
  where("sav(?:e|ing)", (facts) => compares(facts) || facts.nations.length > 1),
  where("before|gross", ({ wantsSalaryForNet }) => wantsSalaryForNet),
  where(
    "each(?: (?:pay(?:ment|day|slip)?|time|one))?",
    (facts) =>
      facts.shownBy !== undefined ||
      facts.isEach ||
      facts.salaries.some(({ period }) => period !== undefined),
  ),
  rule("(?:x|times)(?= (?:·|M))"),
  where(
    "(?:what |what will |what would )?happens?(?: to)?",
    (facts) => compares(facts) || facts.extras.length > 0,
  ),
  where("instead(?: of)?", (facts) => compares(facts) || facts.speaksOfPay),
  where("who", compares),
  where("both", (facts) => compares(facts) || facts.isCouple || facts.hasTwoJobs),
  rule("now|today|nowadays|these days", (facts) => {
    if (!facts.comparison || facts.taxYears.length !== 1) return false;
    facts.thisYear = true;
  }),
  where("over N (?:months?|years?)", ({ subjects }) => subjects.length > 0),
  where(
    "(?:does |would |will )?(?:it |that |this )?works? out(?: (?:as|at|to|for))?",
    (facts) => asksFigure(facts) || facts.shownBy !== undefined || facts.salaries.length === 0,
  ),
  rule("(?:up to(?= M (?:depending|doe|·)))|depending on (?:experience|skills)|doe|negotiable"),
  where("(?:in )?total|altogether", (facts) => asksFigure(facts) || facts.isCouple),
  rule("already(?= (?:·|M|on|earn|earning|get|getting))"),
  where(
    "(?:is |be |was |being )?(?:lost|taken|takes?|took|taxed|gone|goes)(?: (?:off|out|away))?(?: (?:in|to|on|from|of))?",
    asksFigure,
  ),
  where("(?:off|out)(?: of)?(?= (?:·|M))", asksFigure),
  where(
    "want(?: to)?(?: (?:have|know|see|get))?|(?:equals?|equivalent)(?: to)?",
    ({ wantsSalaryForNet, shares, shownBy, speaksOfPay }) =>
      wantsSalaryForNet || shares.length > 0 || shownBy !== undefined || speaksOfPay,
  ),
  where("(?:what|how much) should (?:i|we|my|it)|should (?:be|i)(?= ·)", asksFigure),
  where(
    "should",
    ({ pensionDownTo, comparison, wantsSalaryForNet }) =>
      pensionDownTo !== undefined || comparison || wantsSalaryForNet,
  ),
  where("was|were", ({ taxYears, salaries }) => taxYears.length > 0 && salaries.length < 2),
  where("(?:in|for|of) (?:the )?year(?= ·)", ({ taxYears }) => taxYears.length > 0),
  rule("(?<=if (?:(?:i|it|·) )*)(?:was|were)|(?:it|that|this) (?:was|were)(?= P)"),
  where("(?:when|where|at what)|(?:starts?|begins?|kicks?|comes?)(?: (?:in|to|at|paying|being))*", asksRates),
  where("(?:above|over|below|under|higher|more than)", asksRates),
  where(
    "(?:boss|manager|company|work|employers?)(?: (?:is|are|has|have|will|would))*(?: (?:offered|offering|giving|gave|given|give|offers|gives|puts?|putting|adds?))*(?: me)?|(?:offered|offering|giving|gave|given|offers|gives)(?: me)?",
    gives,
  ),
];
