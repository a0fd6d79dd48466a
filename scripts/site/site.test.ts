import { describe, expect, it } from "vitest";
import { readOpening } from "./home.ts";
import { deadLinks } from "./links.ts";
import { renderMarkdown } from "./markdown.ts";
import { sections } from "./navigation.ts";
import { searchIndex } from "./search-index.ts";
import { plainText } from "./text.ts";

const everywhere = (target: string) => target;

describe("renderMarkdown", () => {
  it("leaves out what stands before an example, and marks the example's words", () => {
    const html = renderMarkdown(
      "<!-- before the example\nsecret();\n-->\n```ts no-run\nconst a = 1;\n```",
      everywhere,
    );
    expect(html).not.toContain("secret");
    expect(html).toContain('<span class="hljs-keyword">const</span>');
  });

  it("shows other HTML as the text that it is", () => {
    const html = renderMarkdown("A <script>alert(1)</script> here.\n\n<b onclick=x>\n", everywhere);
    expect(html).not.toMatch(/<(script|b)\b/);
    expect(plainText(html)).toContain("<script>alert(1)</script>");
  });

  it("gives headings the anchors that GitHub gives", () => {
    const html = renderMarkdown("## What's `a.b()`, then?\n\n## Twice\n\n## Twice", everywhere);
    expect([...html.matchAll(/<h2 id="([^"]+)"/g)].map(([, id]) => id)).toEqual([
      "whats-ab-then",
      "twice",
      "twice-1",
    ]);
  });

  it("keeps the words of a link that leads nowhere", () => {
    expect(renderMarkdown("See [the folder](../src).", () => undefined)).toBe("<p>See the folder.</p>\n");
  });

  it("scrolls a table, and lets the keyboard into it", () => {
    const html = renderMarkdown("| | a |\n| --- | ---: |\n| b | 1 |", everywhere);
    expect(html).toContain('<div class="table" tabindex="0">');
    expect(html).toContain('<td></td><th class="right">a</th>');
  });
});

describe("sections", () => {
  it("puts pages in their groups, in the order of the groups", () => {
    const titles = new Map([
      ["redis", "How do I count in Redis?"],
      ["limits", "How do I write a limit?"],
      ["moving-from-express-rate-limit", "Moving over from express-rate-limit"],
    ]);
    const shown = sections(titles).map(({ title, entries }) => [title, ...entries.map(({ label }) => label)]);
    expect(shown).toEqual([
      ["Guarding", "Limits"],
      ["Stores", "Redis and Valkey"],
      ["Moving over", "express-rate-limit"],
      ["Reference"],
    ]);
  });

  it("refuses a page that is in no group", () => {
    expect(() => sections(new Map([["forgotten", "A page"]]))).toThrow("docs/forgotten.md");
  });
});

describe("deadLinks", () => {
  const page = (html: string) =>
    new Map([
      ["a/b.html", html],
      ["index.html", '<h1 id="top">x</h1>'],
      ["x.css", ""],
    ]);

  it("follows links to pages, to places in them and to files", () => {
    const html =
      '<p id="here"><a href="../index.html#top"><a href="#here"><link href="../x.css"><a href="https://x.example/y">';
    expect(deadLinks(page(html))).toEqual([]);
  });

  it.each([
    ['<a href="gone.html">', "there is no a/gone.html"],
    ['<img src="../gone.png">', "there is no gone.png"],
    ['<a href="../index.html#gone">', 'index.html has no heading "gone"'],
    ['<a href="#gone">', 'a/b.html has no heading "gone"'],
  ])("finds that %s is dead", (html, sentence) => {
    expect(deadLinks(page(html))).toEqual([expect.stringContaining(sentence)]);
  });
});

describe("readOpening", () => {
  it("takes the README's first words, first example and promises", () => {
    const readme =
      "# Title\n\nOne sentence.\n\nMore.\n\n```sh\nno\n```\n\n```ts\nyes();\n```\n\nWhat it promises:\n\n- **A.** b\n";
    expect(readOpening(readme)).toEqual({
      sentence: "One sentence.",
      explanation: "More.",
      example: "yes();",
      promises: "- **A.** b\n",
    });
  });

  it("says what a README lacks", () => {
    expect(() => readOpening("# Title\n\nOne.\n\nTwo.")).toThrow("no ```ts example");
    expect(() => readOpening("# Title\n\n- a list")).toThrow("two paragraphs");
  });
});

it("finds each heading by itself", () => {
  const index = searchIndex([
    { path: "a.html", title: "Page", html: '<h1>Page</h1><p>first</p><h2 id="b">Second</h2><p>x &lt; y</p>' },
  ]);
  const stored = Object.values(JSON.parse(index).storedFields);
  expect(stored).toEqual([
    { title: "Page", heading: "", text: "first" },
    { title: "Page", heading: "Second", text: "x < y" },
  ]);
});
