import fc from "fast-check";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import Markdown from "./markdown.tsx";

const html = (text: string, streaming = false) =>
  renderToStaticMarkup(createElement(Markdown, { text, streaming })).replaceAll(' dir="auto"', "");

test("renders the Markdown that models usually write", () => {
  expect(html("# Pay\n\nYou keep **£34,023** of *£45,000*, ~~not~~ `more`.")).toBe(
    '<div class="answer"><h2>Pay</h2><p>You keep <strong>£34,023</strong> of <em>£45,000</em>, <del>not</del> <code>more</code>.</p></div>',
  );
  expect(html("3. three\n4. four\n   - nested")).toBe(
    '<div class="answer"><ol start="3"><li>three</li><li>four<ul><li>nested</li></ul></li></ol></div>',
  );
  expect(html("> said\n\n---\n\n- [x] done\n- [ ] open")).toContain(
    "<blockquote><p>said</p></blockquote><hr/>",
  );
  expect(html("- [x] done\n- [ ] open")).toContain("<li>☑ done</li><li>☐ open</li>");
  expect(html("Fish &amp; chips, &pound;5 &#8211; &#x2014; &unknown;")).toContain(
    "Fish &amp; chips, £5 – — &amp;unknown;",
  );
});

test("aligns the numbers of a table, and names its columns", () => {
  const table = html("| Salary | Tax |\n| --- | ---: |\n| £1 | £0 |");
  expect(table).toContain('<th scope="col">Salary</th>');
  expect(table).toContain('<td class="number">£0</td>');
});

test("shows raw HTML as text, and links only web and e-mail addresses", () => {
  expect(html('a <img src=x onerror="alert(1)"> b')).toContain(
    "a &lt;img src=x onerror=&quot;alert(1)&quot;&gt; b",
  );
  expect(html("<script>alert(1)</script>\n\nafter")).not.toContain("<script");
  expect(html("[a](javascript:alert(1)) [b](data:text/html,x) [c](//e.example) [d](/me)")).not.toContain(
    "href",
  );
  expect(html("[a](https://example.com)")).toContain('rel="noopener noreferrer nofollow"');
  expect(html("![a chart](https://example.com/a.png)")).toContain(">Picture: a chart</a>");
  expect(html("![a chart](https://example.com/a.png)")).not.toContain("<img");
});

test("closes open syntax while the answer streams", () => {
  expect(html("You keep **£34", true)).toContain("<strong>£34</strong>");
  expect(html("```js\nconst a = 1", true)).toContain("const a = 1");
  expect(html("see [the rates](https://exam", true)).not.toContain("href");
});

test("renders any text with only the expected elements", () => {
  const allowed =
    /^<\/?(div|p|h[2-6]|ul|ol|li|blockquote|hr|strong|em|del|code|pre|br|a|span|table|thead|tbody|tr|th|td|section|button|svg|path|rect)\b/;
  const pieces = fc.constantFrom(
    "<b>",
    "</b>",
    "**",
    "_",
    "[x](",
    ")",
    "\n\n",
    "- ",
    "> ",
    "`",
    "```\n",
    "| a |",
    "&",
    "<!--",
    "<a href='x'>",
    "1. ",
    "text ",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 25 }), fc.boolean(), (parts, streaming) => {
      const tags = html(parts.join(""), streaming).match(/<[^>]*/g) ?? [];
      for (const tag of tags) expect(tag).toMatch(allowed);
    }),
  );
});
