import { createEstimator } from "headgate/ai";
import { type Figure, figureOf } from "../measuring/figures.ts";
import { interleaved } from "../measuring/interleaved.ts";
import type { RunOptions, Section, SectionResult, Table } from "../report/result.ts";
import { atMostOf, floorOf, ofRow } from "../report/targets.ts";

export const estimate: Section = { name: "estimate", run };

const CHARACTERS = 100_000;
const MOST_MS = 2;

const worst = `${CHARACTERS.toLocaleString("en")} × a`;
const floor = "reading each character";

const filled = (sample: string) => sample.repeat(Math.ceil(CHARACTERS / sample.length)).slice(0, CHARACTERS);

const texts: Readonly<Record<string, string>> = {
  [worst]: filled("a"),
  English: filled("How long is the tide in at Portsmouth tomorrow, and when does it go out? "),
  JSON: filled('{"place":"Portsmouth","high":["09:14","21:40"],"metres":4.7},'),
  Chinese: filled("明天朴茨茅斯的潮水会持续多久？什么时候退潮？"),
  emoji: filled("🌊🚢👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
  "spaces and punctuation": filled(" .,;\n\t"),
};

async function run({ isQuick, say }: RunOptions): Promise<SectionResult> {
  say("estimate");
  const { estimate: estimated } = createEstimator();
  const measured = await interleaved(isQuick ? 5 : 101, [...Object.keys(texts), floor], async (name) => {
    const startedMs = performance.now();
    const result = name === floor ? readAll(texts[worst] as string) : estimated(texts[name]);
    const tookMs = performance.now() - startedMs;
    if (!(result > 0)) throw new Error(`"${name}" was estimated at ${result}.`);
    return tookMs;
  });
  const table: Table = {
    id: "estimate",
    title: `An estimate of ${CHARACTERS.toLocaleString("en")} characters`,
    columns: [{ title: "time", unit: "ms", better: "less" }],
    rows: [...measured].map(([label, figure]: [string, Figure]) => ({
      label,
      kind: label === floor ? "floor" : "headgate",
      note: "",
      figures: [figure],
    })),
  };
  return {
    name: "estimate",
    title: "Estimating tokens",
    method: [
      "Each text is estimated in turn, in this process, before anything is admitted. The floor reads each character of the text once.",
    ],
    tables: [table],
    targets: [
      atMostOf(`an estimate of ${worst}`, MOST_MS, "ms", ofRow(table, 0, worst), floorOf(table, 0)),
      atMostOf(
        `the slowest estimate of ${CHARACTERS.toLocaleString("en")} characters`,
        MOST_MS,
        "ms",
        figureOf(Object.keys(texts).map((name) => ofRow(table, 0, name))).high,
      ),
    ],
  };
}

function readAll(text: string): number {
  let sum = 0;
  for (let n = 0; n < text.length; n += 1) sum += text.charCodeAt(n);
  return sum;
}
