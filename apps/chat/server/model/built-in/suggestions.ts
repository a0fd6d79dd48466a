/** Suggests short follow-up questions. */
import type { Context } from "./context.ts";
import type { Facts } from "./facts.ts";
import type { ToolRequest } from "./request.ts";

const most = 3;

export function suggestionsFor({ tool }: ToolRequest, facts: Facts, context: Context): string[] {
  const [nation] = context.nations;
  const hasPension = context.pensions.some(Boolean);
  const hasLoan = context.planSets.some(({ length }) => length > 0);
  const loans = facts.loanWithoutPlan && !hasLoan ? ["With plan 2", "With plan 5"] : [];
  switch (tool) {
    case "tax_rates":
      return ["Take-home on £45,000", "Take-home on £45,000 in Scotland"];
    case "salary_table":
      return ["Compare £50,000 and £60,000"];
    case "household":
      return ["And in Scotland?"].filter(() => nation !== "Scotland");
    default:
      break;
  }
  const kind = context.pensions.at(-1)?.kind ?? "salary sacrifice";
  const pension = hasPension
    ? [kind === "relief at source" ? "By salary sacrifice instead" : "By relief at source instead"]
    : ["With a 5% pension"];
  const place = nation === "Scotland" ? "And in England?" : "And in Scotland?";
  const rest =
    tool === "take_home"
      ? [
          ...pension,
          context.nations.length > 1 ? "" : place,
          context.shownBy === "week" ? "How much a month?" : "How much a week?",
          "A 10% rise",
        ]
      : [...pension, context.nations.length > 1 ? "" : place];
  return [...loans, ...rest].filter((suggestion) => suggestion !== "").slice(0, most);
}
