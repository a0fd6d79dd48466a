/**
 * The ranking of the site's search. A word that is the name of an export, such as `Store`, finds its section of the
 * reference first. For all other words, the guide comes before the reference, and a page before its sections.
 */
export const searchOptions = {
  boost: { title: 4, titles: 1, text: 1 },
  prefix: (term: string) => term.length > 2,
  fuzzy: (term: string) => (term.length > 5 ? 0.2 : false),
  /**
   * VitePress sends this function to the browser as text, so it cannot use anything from outside.
   *
   * @param stored the heading of a section, and the headings above it
   */
  boostDocument(id: string, term: string, stored?: { title?: string; titles?: string[] }): number {
    const title = stored?.title ?? "";
    const above = stored?.titles?.length ?? 0;
    if (id.includes("/source/")) return 0.2;
    if (id.includes("/changelog")) return above === 0 ? 2 : 0.3;
    if (id.includes("/moving-from-")) return 0.8;
    if (!id.includes("/reference/")) return above === 0 ? 2 : 1;
    // Prefixes match too, but "redis" must not find RedisClient before the page about Redis.
    const isNamed = above === 2 && /^[A-Z][a-z]+$/.test(title) && title.toLowerCase() === term;
    return isNamed ? 2 : 0.3;
  },
};
