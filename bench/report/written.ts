import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Measured, markdownOf } from "./markdown.ts";
import { plotOf } from "./plot.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));
/** The results. Each section is one line, so that a section can be measured again by itself. */
const resultsFile = path.join(folder, "results.jsonl");
const plots = "plots";

/**
 * Writes the report. Sections in `measured` replace the same sections of earlier runs.
 *
 * @param order the names of all sections
 * @returns the path of the report
 */
export function writeReport(measured: readonly Measured[], order: readonly string[]): string {
  const latest = new Map([...earlier(), ...measured].map((section) => [section.result.name, section]));
  const sections = order.flatMap((name) => latest.get(name) ?? []);
  writeFileSync(resultsFile, sections.map((section) => `${JSON.stringify(section)}\n`).join(""));

  rmSync(path.join(folder, plots), { recursive: true, force: true });
  mkdirSync(path.join(folder, plots));
  for (const { result } of sections) {
    for (const table of result.tables)
      writeFileSync(path.join(folder, plots, `${table.id}.svg`), plotOf(table));
  }
  const report = path.join(folder, "REPORT.md");
  writeFileSync(
    report,
    markdownOf(sections, ({ id }) => `${plots}/${id}.svg`),
  );
  return report;
}

function earlier(): Measured[] {
  if (!existsSync(resultsFile)) return [];
  return readFileSync(resultsFile, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
