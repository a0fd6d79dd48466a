/** Formats numbers, nations and plans for readers. */
import type { StudentLoanPlan } from "../../../tax/rates.ts";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const toThePenny = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** `35920.72` is "£35,920.72", `45000` is "£45,000": pence are shown unless they are zero. */
export function pounds(amount: number): string {
  const shown = (Number.isInteger(amount) ? whole : toThePenny).format(Math.abs(amount));
  return `${amount < 0 ? "−" : ""}£${shown}`;
}

/** `0.42` is "42%", `0.1325` is "13.25%". */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

/** `0.2880325` is "28.8%". */
export function roundPercent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

export function planNames(plans: readonly StudentLoanPlan[]): string {
  return list(
    plans.map((plan) => (plan === "postgrad" ? "postgraduate loan" : `Plan ${plan}`)),
    "and",
  );
}

/** "a", "a and b", "a, b and c" */
export function list(items: readonly string[], joiner: "and" | "or" = "and"): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${joiner} ${items.at(-1)}`;
}

/** Creates a Markdown table. The first column is aligned left, figures are aligned right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
