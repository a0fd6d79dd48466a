import type { Group, Summary } from "./summary.ts";
import { count, counted, percent, sentence, time, uses, waitsInWords } from "./words.ts";

/** Renders a summary for a terminal. */
export function asText(summary: Summary): string {
  const {
    limiter,
    policy,
    decisions,
    from,
    to,
    processes,
    callers,
    logged,
    replayed,
    differences,
    currency,
  } = summary;
  const row = (name: string, group: Group) =>
    `  ${name.padEnd(16)}${count(group.decisions).padStart(12)}${percent(group.decisions, decisions).padStart(9)}${count(group.callers).padStart(10)} ${group.callers === 1 ? "caller " : "callers"}  ${uses(group, currency)}`.trimEnd();
  const lines = [
    `${limiter}: ${counted(decisions, "decision")} of ${counted(callers, "caller")}, ${time(from)} to ${time(to)}, ${counted(processes, "process", "processes")}`,
    "",
    "In the log",
    row("admitted", logged.admitted),
    row("refused", logged.refused),
    "",
    policy === "another" ? "Under the other policy" : "Replayed under the same policy",
    row("admitted", replayed.admitted),
    row("refused", replayed.refused),
  ];
  if (policy === "another") {
    lines.push(row("newly refused", summary.newlyRefused), row("newly admitted", summary.newlyAdmitted));
    if (summary.cutShort.decisions > 0) lines.push(row("cut short", summary.cutShort));
  }
  if (differences !== undefined)
    lines.push(
      "",
      differences === 0
        ? "Every decision matches the log."
        : `${counted(differences, "decision differs", "decisions differ")} from the log.`,
    );
  if (replayed.refused.decisions > 0) {
    lines.push("", waitsInWords(summary.waits, replayed.refused.decisions));
    lines.push(
      "",
      "Refused by",
      ...summary.byLimit.map(
        ({ limit, refused, newlyRefused }) =>
          `  ${limit.padEnd(32)}${count(refused).padStart(10)}, ${count(newlyRefused)} newly`,
      ),
    );
  }
  if (policy === "another" && summary.callersMost.length > 0) {
    lines.push("", "Callers with most changes");
    for (const { layer, partition, decisions: all, newlyRefused, newlyAdmitted } of summary.callersMost)
      lines.push(
        `  ${`${layer} ${partition}`.padEnd(32)}${count(newlyRefused).padStart(8)} newly refused, ${count(newlyAdmitted)} newly admitted, of ${count(all)}`,
      );
  }
  lines.push("", "What is not known", ...summary.caveats.map((caveat) => `  - ${caveat}`));
  if (policy === "another") lines.push("", sentence(summary));
  return `${lines.join("\n")}\n`;
}
