import { Marked, type Tokens } from "marked";
import { codeBlock } from "./code.ts";
import { anchors, escapeHtml, plainText } from "./text.ts";

/** What a link or a picture leads to: an address, or `undefined` where the site has no page for it. */
export type Resolve = (target: string) => string | undefined;

/**
 * Markdown as HTML. Comments in it are for its authors and are left out; every other piece of raw HTML is shown as
 * the text that it is.
 */
export function renderMarkdown(text: string, resolve: Resolve): string {
  const anchorOf = anchors();
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth }: Tokens.Heading) {
        const html = this.parser.parseInline(tokens);
        const words = plainText(html);
        const id = anchorOf(words);
        if (depth === 1) return `<h1 id="${id}">${html}</h1>\n`;
        return heading(depth, id, html, words);
      },
      code({ text, lang }: Tokens.Code) {
        return codeBlock(text, lang?.split(/\s/)[0]);
      },
      html({ raw }: Tokens.HTML | Tokens.Tag) {
        return raw.startsWith("<!--") ? "" : escapeHtml(raw);
      },
      link({ href, tokens }: Tokens.Link) {
        const html = this.parser.parseInline(tokens);
        const address = resolve(href);
        return address === undefined ? html : `<a href="${escapeHtml(address)}">${html}</a>`;
      },
      image({ href, text }: Tokens.Image) {
        const address = resolve(href);
        if (address === undefined) return escapeHtml(text);
        return `<img src="${escapeHtml(address)}" alt="${escapeHtml(text)}" loading="lazy">`;
      },
      table({ header, rows, align }: Tokens.Table) {
        const cell = (one: Tokens.TableCell, at: number, tag: string) => {
          const side = align[at] ? ` class="${align[at]}"` : "";
          // An empty corner heads nothing.
          const name = one.header && one.text === "" ? "td" : tag;
          return `<${name}${side}>${this.parser.parseInline(one.tokens)}</${name}>`;
        };
        const head = header.map((one, at) => cell(one, at, "th")).join("");
        const body = rows.map((row) => `<tr>${row.map((one, at) => cell(one, at, "td")).join("")}</tr>`);
        return `<div class="table" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>\n`;
      },
    },
  });
  return marked.parse(text, { async: false });
}

/** A heading that can be linked to. */
export function heading(depth: number, id: string, html: string, words: string): string {
  const label = escapeHtml(`Link to “${words}”`);
  return `<h${depth} id="${id}">${html} <a class="anchor" href="#${id}" aria-label="${label}">#</a></h${depth}>\n`;
}
