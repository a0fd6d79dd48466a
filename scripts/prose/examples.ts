/** A code example in a page. */
export interface Example {
  /** The page, relative to the repository. */
  readonly page: string;
  /** The line on which the code begins, counted from 1. */
  readonly line: number;
  readonly language: "ts" | "tsx";
  /** Whether it can run by itself. All examples are compiled. */
  readonly runs: boolean;
  readonly code: string;
}

const opening = /^```(ts|tsx)(?:[ \t]+(.*))?$/;
const preface = /^<!-- before the example$/;

/**
 * Returns the TypeScript examples of a page, which are `ts` and `tsx` fences. A `ts` fence runs unless it is marked
 * `no-run`, because it needs a server, a browser or other code. Code that an example assumes is in a hidden comment
 * before it:
 *
 *     <!-- before the example
 *     declare const limiter: Limiter<Caller>;
 *     -->
 *
 * @throws Error for a fence that is never closed or has an unknown mark, naming the page and the line
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
      throw new Error(`${page}:${at + 1}: expected "no-run" or nothing after the language, got "${flag}"`);
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
