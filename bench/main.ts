import { parseArgs } from "node:util";
import { endWithServers } from "./measuring/servers.ts";
import { machineLines, thisMachine } from "./report/machine.ts";
import type { Measured } from "./report/markdown.ts";
import { sectionText } from "./report/text.ts";
import { writeReport } from "./report/written.ts";
import { sections } from "./sections.ts";

const names = sections.map(({ name }) => name);
const usage = `npm run bench -- [--quick] [--json] [${names.join("] [")}]`;

const { isQuick, isJson, chosen } = asked();
endWithServers();
const machine = thisMachine();
const say = (line: string) => console.error(`· ${line}`);
if (!isJson) console.log([...machineLines(machine), ""].join("\n"));

const measured: Measured[] = [];
for (const section of sections.filter(({ name }) => chosen.includes(name))) {
  try {
    const result = await section.run({ isQuick, say });
    measured.push({ day: new Date().toISOString().slice(0, 10), machine, result });
    if (!isJson) console.log(sectionText(result));
  } catch (error) {
    // Continue with the other sections.
    console.error(`${section.name} failed:`, error);
    process.exitCode = 1;
  }
}
if (isJson) console.log(JSON.stringify({ machine, sections: measured.map(({ result }) => result) }, null, 2));
else if (!isQuick) console.log(`Written: ${writeReport(measured, names)}`);

function asked(): { isQuick: boolean; isJson: boolean; chosen: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
    });
    const unknown = positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`There is no section "${unknown}".`);
    return {
      isQuick: values.quick,
      isJson: values.json,
      chosen: positionals.length === 0 ? names : positionals,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}
