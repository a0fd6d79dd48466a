import { Marked, type Token, type Tokens } from "marked";
import { codeBlock } from "./code.ts";
import { type Resolve, renderMarkdown } from "./markdown.ts";
import type { Section } from "./navigation.ts";
import { escapeHtml } from "./text.ts";

/** What the site's first page takes from the README, so that both say the same. */
export interface Opening {
  /** What it is, in one sentence. */
  readonly sentence: string;
  readonly explanation: string;
  /** The first example, in TypeScript. */
  readonly example: string;
  /** Markdown: what it promises. Empty where the README has no such list. */
  readonly promises: string;
}

/**
 * Reads the README's beginning.
 *
 * @throws if it does not begin with two paragraphs, or has no example in TypeScript
 */
export function readOpening(readme: string): Opening {
  const tokens = new Marked().lexer(readme).filter(({ type }) => type !== "space");
  const [, sentence, explanation] = tokens;
  const example = tokens.find((token): token is Tokens.Code => token.type === "code" && token.lang === "ts");
  if (!isParagraph(sentence) || !isParagraph(explanation))
    throw new Error("README.md must begin with a title and two paragraphs: the site's first page shows them");
  if (example === undefined)
    throw new Error("README.md has no ```ts example: the site's first page shows the first one");
  const promise = tokens.findIndex((token) => isParagraph(token) && /promises/.test(token.text));
  const list = promise < 0 ? undefined : tokens[promise + 1];
  return {
    sentence: sentence.text,
    explanation: explanation.text,
    example: example.text,
    promises: list?.type === "list" ? list.raw : "",
  };
}

function isParagraph(token: Token | undefined): token is Tokens.Paragraph {
  return token?.type === "paragraph";
}

/** The first page, without what every page has around it. */
export function homeHtml(opening: Opening, navigation: readonly Section[], resolve: Resolve): string {
  const first = navigation[0]?.entries[0];
  const groups = navigation.map(
    ({ title, entries }) =>
      `<section><h3>${escapeHtml(title)}</h3><ul>${entries.map(({ path, label }) => `<li><a href="${path}">${escapeHtml(label)}</a></li>`).join("")}</ul></section>`,
  );
  return `<div class="hero">
<div class="pitch">
<h1>Headgate</h1>
<div class="lead">${renderMarkdown(opening.sentence, resolve)}</div>
${renderMarkdown(opening.explanation, resolve)}
${codeBlock("npm install headgate", "bash")}
<p class="actions">${first ? `<a class="button" href="${first.path}">${escapeHtml(first.label)}</a>` : ""}<a class="button plain" href="reference/index.html">Reference</a></p>
</div>
${codeBlock(opening.example, "ts")}
</div>
${opening.promises ? `<h2 id="promises">What it promises</h2>\n<div class="promises">${renderMarkdown(opening.promises, resolve)}</div>` : ""}
<h2 id="pages">All pages</h2>
<div class="groups">${groups.join("\n")}</div>`;
}
