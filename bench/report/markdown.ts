import { type Machine, machineLines } from "./machine.ts";
import type { SectionResult, Table, Target } from "./result.ts";
import { cellsOf } from "./text.ts";

/** A measured section. */
export interface Measured {
  /** The day of the measurement. */
  readonly day: string;
  readonly machine: Machine;
  readonly result: SectionResult;
}

/**
 * Formats the report of all sections.
 *
 * @param plotOf returns the path of a table's plot, relative to the report
 */
export function markdownOf(sections: readonly Measured[], plotOf: (table: Table) => string): string {
  const targets = sections.flatMap(({ result }) => result.targets);
  const met = targets.filter(({ isMet }) => isMet).length;
  return [
    "# Benchmark report",
    "Written by `npm run bench`, not by hand: see [how figures are measured, and how to run it](../docs/speed.md). Figures are medians, followed by the lowest and the highest of all rounds; " +
      "`× headgate` is a figure divided by Headgate's in the same run. An arrow shows which direction is better.",
    ...sections.flatMap((section, index) => sectionOf(section, sections[index - 1], plotOf)),
    `## Targets: ${met} of ${targets.length} met`,
    targetTable(targets),
    "",
  ].join("\n\n");
}

function targetTable(targets: readonly Target[]): string {
  const rows = targets.map(({ what, wanted, measured, isMet, floor }) => [
    what,
    wanted,
    isMet ? measured : `**${measured}**`,
    isMet ? "met" : "**not met**",
    isMet ? "" : (floor ?? ""),
  ]);
  return tableOf([["what", "target", "measured", "", "floor"], ...rows]);
}

function sectionOf(
  { day, machine, result }: Measured,
  before: Measured | undefined,
  plotOf: (table: Table) => string,
): string[] {
  const about = machineLines(machine);
  const sameBefore = before !== undefined && before.day === day && sameMachine(before.machine, machine);
  return [
    `## ${result.title}`,
    `\`npm run bench -- ${result.name}\`, ${day}${sameBefore ? ", on the same machine as before." : ":"}`,
    ...(sameBefore ? [] : [about.map((line) => `- ${line}`).join("\n")]),
    ...result.method,
    ...result.tables.flatMap((table) => [
      `### ${table.title}`,
      tableOf(cellsOf(table)),
      ...notesOf(table),
      `![${table.title}](${plotOf(table)})`,
    ]),
  ];
}

function notesOf(table: Table): string[] {
  const notes = table.rows.filter(({ note }) => note !== "").map(({ label, note }) => `- ${label}: ${note}`);
  return notes.length === 0 ? [] : [notes.join("\n")];
}

function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Whether two machines are the same, whatever their load. */
function sameMachine(a: Machine, b: Machine): boolean {
  return JSON.stringify({ ...a, load: 0 }) === JSON.stringify({ ...b, load: 0 });
}
