import { describe, expect, it } from "vitest";
import { readExamples } from "./examples.ts";

describe("readExamples", () => {
  it("finds TypeScript examples, and adds the code from the comment before them", () => {
    const text = [
      "# Page",
      "```sh",
      "npm start",
      "```",
      "<!-- before the example",
      "const a = 1;",
      "-->",
      "",
      "```ts",
      "a + 1;",
      "```",
      "```tsx no-run",
      "<p />;",
      "```",
    ].join("\n");
    expect(readExamples("page.md", text)).toEqual([
      { page: "page.md", line: 10, language: "ts", runs: true, code: "const a = 1;\na + 1;\n" },
      { page: "page.md", line: 13, language: "tsx", runs: false, code: "<p />;\n" },
    ]);
  });

  it.each([
    ["```ts\nconst a = 1;", "page.md:1: a code fence is never closed"],
    ["```ts later\n```", 'page.md:1: expected "no-run" or nothing after the language, got "later"'],
    ["<!-- before the example\n", "page.md:1: a comment before an example is never closed"],
  ])("refuses %j", (text, message) => {
    expect(() => readExamples("page.md", text)).toThrow(message);
  });
});
