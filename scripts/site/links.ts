/**
 * Looks for links that lead nowhere: to no page, to no place in a page, to no file.
 *
 * @param files what the site holds: pages as text, by path
 * @returns a sentence for each dead link
 */
export function deadLinks(files: ReadonlyMap<string, string | Uint8Array>): string[] {
  const ids = new Map<string, Set<string>>();
  for (const [path, content] of files) {
    if (typeof content !== "string" || !path.endsWith(".html")) continue;
    ids.set(path, new Set([...content.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id as string)));
  }
  return [...ids.keys()].flatMap((path) =>
    [...String(files.get(path)).matchAll(/ (?:href|src)="([^"]*)"/g)].flatMap(([, address = ""]) => {
      if (/^[a-z]+:/.test(address)) return [];
      const { pathname, hash } = new URL(address, `http://site/${path}`);
      const target = decodeURIComponent(pathname.slice(1)) || "index.html";
      if (!files.has(target)) return [`${path} links to "${address}": there is no ${target}`];
      const place = decodeURIComponent(hash.slice(1));
      if (place && !ids.get(target)?.has(place))
        return [`${path} links to "${address}": ${target} has no heading "${place}"`];
      return [];
    }),
  );
}
