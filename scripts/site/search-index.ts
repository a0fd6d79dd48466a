import MiniSearch from "minisearch";
import { SEARCH, type SearchEntry } from "./search-options.ts";
import { plainText } from "./text.ts";

/**
 * What the page searches in: an entry for each heading, with the text below it.
 *
 * @param pages their title and their HTML, without navigation
 * @returns JSON, for `MiniSearch.loadJSON`
 */
export function searchIndex(pages: Iterable<{ path: string; title: string; html: string }>): string {
  const index = new MiniSearch<SearchEntry>(SEARCH);
  for (const { path, title, html } of pages) {
    const [opening = "", ...parts] = html.split(/(?=<h[23] id=")/);
    index.add({ id: path, title, heading: "", text: words(opening.replace(/<h1[\s\S]*?<\/h1>/, "")) });
    for (const part of parts) {
      const [whole = "", id, inner = ""] = /^<h[23] id="([^"]+)"[^>]*>([\s\S]*?)<\/h[23]>/.exec(part) ?? [];
      const heading = words(inner.replace(/<a class="anchor"[\s\S]*?<\/a>/, ""));
      index.add({ id: `${path}#${id}`, title, heading, text: words(part.slice(whole.length)) });
    }
  }
  return JSON.stringify(index);
}

function words(html: string): string {
  return plainText(html.replace(/<\/(p|li|td|th|dt|dd|div|pre|tr)>/g, " "))
    .replace(/\s+/g, " ")
    .trim();
}
