const LIBRARY = "packages/headgate/src";

/**
 * The code that `npm run test:mutants` breaks, and the folders of the tests that should notice. Tests that start servers
 * are left out: they take seconds each.
 *
 * @type {Record<string, { source: string, tests: string[] }>}
 */
export const PARTS = {
  core: library("core", ["core", "limiter", "stores/memory"]),
  reservation: library("reservation", ["reservation", "limiter"]),
  "stores/memory": library("stores/memory", ["stores/memory", "limiter"]),
  http: library("http", ["http"]),
  remote: library("remote", ["remote"]),
  routes: { source: "apps/chat/server/routes", tests: ["apps/chat/server/routes"] },
};

/**
 * @param {string} source
 * @param {string[]} tests
 */
function library(source, tests) {
  return { source: `${LIBRARY}/${source}`, tests: tests.map((folder) => `${LIBRARY}/${folder}`) };
}

/**
 * @param {string | undefined} words a part, or a folder or file in one: `http`, `http/fields`, `core/grammar.ts`
 * @returns {{ source: string, tests: string[] } | undefined} with that folder or file as its source
 */
export function partOf(words = "") {
  for (const [name, part] of Object.entries(PARTS)) {
    if (`${words}/`.startsWith(`${name}/`))
      return { ...part, source: part.source + words.slice(name.length) };
  }
  return undefined;
}
