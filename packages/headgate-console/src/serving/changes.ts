import type { PolicyDesk } from "../policies/policy-desk.ts";
import type { CallerDesk, Change } from "./desk.ts";
import { csv, json, problem, text } from "./responses.ts";
import type { Changes } from "./view.ts";

const MOST_EXPORTED_CHANGES = 10_000;
const COLUMNS = ["at", "what", "of", "limits", "until", "reason", "by", "before", "after"] as const;

/** Returns the overrides in force, and the newest changes of limits and policies. */
export async function changesOf(
  callers: CallerDesk | undefined,
  policies: PolicyDesk | undefined,
  most: number,
): Promise<Changes> {
  const [inForce, ofCallers, ofPolicies] = await Promise.all([
    callers?.inForce() ?? [],
    callers?.log(most) ?? [],
    policies?.log(most) ?? [],
  ]);
  const log = [
    ...ofCallers,
    ...ofPolicies.map(({ limiter, ...change }) => ({ ...change, of: limiter, limits: null, until: null })),
  ];
  // A stable sort keeps the order within a millisecond.
  return { inForce, log: log.sort((one, other) => other.at - one.at).slice(0, most) };
}

/** Responds with all changes as a file: CSV or JSON. */
export async function exportChanges(
  callers: CallerDesk | undefined,
  policies: PolicyDesk | undefined,
  format: string | null,
): Promise<Response> {
  if (format !== "csv" && format !== "json")
    return problem(400, "Invalid request", "format must be csv or json.");
  const { log } = await changesOf(callers, policies, MOST_EXPORTED_CHANGES);
  const attach = (end: string) => ({
    headers: { "Content-Disposition": `attachment; filename="limit-changes.${end}"` },
  });
  if (format !== "csv") return json(log, attach("json"));
  const row = (change: Change) =>
    COLUMNS.map((column) =>
      (column === "at" || column === "until") && change[column] !== null
        ? new Date(change[column]).toISOString()
        : change[column],
    );
  return text(csv(COLUMNS, log.map(row)), "text/csv; charset=utf-8", attach("csv"));
}
