import { expect, test } from "vitest";
import { isTooCostly } from "./markdown-cost.ts";

test.each<[string, string]>([
  ["links that never close", "[a](b".repeat(10_000)],
  ["footnotes", Array.from({ length: 2_000 }, (_, n) => `[^${n}]`).join(" ")],
  ["a table of a thousand columns", `${"|a".repeat(1_000)}|\n${"|-".repeat(1_000)}|`],
  ["emphasis in emphasis", "*a **a ".repeat(5_000)],
  ["quotes in quotes", `${">".repeat(500)} deep`],
  ["lists in lists", `${"- ".repeat(500)} deep`],
])("%s: shown as text", (_what, text) => expect(isTooCostly(text)).toBe(true));

test.each<[string, string]>([
  [
    "an answer with a table",
    `On **£45,000** you keep:\n\n| band | tax |\n| --- | ---: |\n${"| basic | £6,486 |\n".repeat(40)}`,
  ],
  [
    "a long list of sources",
    Array.from({ length: 200 }, (_, n) => `- [source ${n}](https://example.com/${n})`).join("\n"),
  ],
  ["code full of brackets", `Here:\n\n\`\`\`js\n${"a[b[c]] = [*x];\n".repeat(2_000)}\`\`\`\n\nDone.`],
  ["a rule", "- - - - -"],
  ["nothing", ""],
])("%s: rendered as Markdown", (_what, text) => expect(isTooCostly(text)).toBe(false));

test("a text of the maximum length is checked quickly", () => {
  const texts = [
    "```\n".repeat(16_000),
    "[".repeat(64_000),
    `${" ".repeat(64_000)}x`,
    "> ".repeat(32_000),
    "1) ".repeat(20_000),
  ];
  const startedAt = performance.now();
  for (const text of texts) isTooCostly(text);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
