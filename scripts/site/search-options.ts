import type { Options } from "minisearch";

/** A place in the site that can be found. */
export interface SearchEntry {
  /** Its address, from the site's root. */
  id: string;
  title: string;
  /** Empty for the beginning of a page. */
  heading: string;
  text: string;
}

/** The same where the index is made and where it is read. */
export const SEARCH: Options<SearchEntry> = {
  fields: ["heading", "title", "text"],
  storeFields: ["title", "heading", "text"],
  // A name such as `retryAfterSeconds` or `headgate/http` is one word, and each of its parts is one too.
  tokenize: (text) =>
    text
      .split(/[^\p{L}\p{N}_]+/u)
      .flatMap((word) => {
        const parts = word.split(/(?<=[a-z])(?=[A-Z])/);
        return parts.length > 1 ? [word, ...parts] : [word];
      })
      .filter(Boolean),
  searchOptions: { boost: { heading: 4, title: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
};
