/** One piece of code in a page of prose. */
export interface Example {
  /** The page, relative to the repository. */
  readonly page: string;
  /** The line on which the code begins, counted from 1. */
  readonly line: number;
  readonly language: "ts" | "tsx";
  /** Whether it can be run by itself; all are compiled. */
  readonly runs: boolean;
  readonly code: string;
}

const opening = /^```(ts|tsx)(?:[ \t]+(.*))?$/;
const preface = /^<!-- before the example$/;

/**
 * The TypeScript of a page, as `ts` and `tsx` fences. A `ts` fence runs unless it says `no-run`: that one needs a
 * server, a browser or a surrounding that the page only tells of. What an example takes for granted stands before
 * it in a comment that readers do not see:
 *
 *     <!-- before the example
 *     declare const limiter: Limiter<Caller>;
 *     -->
 *
 * @throws Error for a fence that is never closed or says something unknown, naming the page and the line.
 */
export function readExamples(page: string, text: string): Example[] {
  const examples: Example[] = [];
  const lines = text.split("\n");
  let before = "";
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as string;
    if (preface.test(line)) {
      const end = lines.indexOf("-->", at);
      if (end < 0) throw new Error(`${page}:${at + 1}: a comment before an example is never closed`);
      before = `${lines.slice(at + 1, end).join("\n")}\n`;
      at = end;
      continue;
    }
    const fence = opening.exec(line);
    if (fence === null) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`${page}:${at + 1}: a code fence is never closed`);
    const [, language, flag = ""] = fence;
    if (flag !== "" && flag !== "no-run")
      throw new Error(`${page}:${at + 1}: a fence knows "no-run", got "${flag}"`);
    examples.push({
      page,
      line: at + 2,
      language: language as "ts" | "tsx",
      runs: language === "ts" && flag === "",
      code: `${before}${lines.slice(at + 1, end).join("\n")}\n`,
    });
    before = "";
    at = end;
  }
  return examples;
}
