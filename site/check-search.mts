import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import MiniSearch from "minisearch";
import { searchOptions } from "./search.mts";

/** The page that a search must find first, by search text. Run this after the site is built. */
const expected: Record<string, string> = {
  Admission: "/reference/headgate.html#admission",
  Limit: "/reference/headgate.html#limit",
  Store: "/reference/headgate.html#store",
  "getting started": "/quick-start.html",
  deploy: "/deploying.html",
  docker: "/deploying.html",
  kubernetes: "/deploying.html",
  bypass: "/troubleshooting.html",
  whitelist: "/troubleshooting.html",
  "behind nginx": "/behind-a-proxy.html",
  cloudflare: "/troubleshooting.html",
  express: "/frameworks.html",
  nestjs: "/frameworks.html",
  "next.js": "/frameworks.html",
  redis: "/redis.html",
  pgbouncer: "/deploying.html",
  "stream tokens": "/ai.html",
  "idempotency key": "/idempotency.html",
  test: "/testing-your-own-app.html",
  vitest: "/testing-your-own-app.html",
  "everybody is refused": "/troubleshooting.html",
  "limit-unreadable": "/errors.html",
  createLimiter: "/reference/headgate.html#createlimiter",
  changelog: "/changelog.html",
  "per user limit": "/guarding-an-endpoint.html",
  "rate limit per user": "/guarding-an-endpoint.html",
  "daily limit": "/limits.html",
  "monthly quota": "/limits.html",
  "reset limit": "/recipes.html",
  "raise limit": "/recipes.html",
  concurrency: "/recipes.html",
  "ai sdk": "/ai.html",
  dashboard: "/metrics.html",
  grafana: "/metrics.html",
};

const chunks = path.join(import.meta.dirname, "../docs/dist/assets/chunks");
const file = readdirSync(chunks).find((name) => name.startsWith("@localSearchIndexroot"));
if (file === undefined) throw new Error(`No search index in ${chunks}: build the site first.`);
const { default: json } = await import(pathToFileURL(path.join(chunks, file)).href);
const index = MiniSearch.loadJSON(json, {
  fields: ["title", "titles", "text"],
  storeFields: ["title", "titles"],
  searchOptions,
});
const wrong = Object.entries(expected).flatMap(([words, page]) => {
  const first = index.search(words)[0]?.id ?? "nothing";
  return first.startsWith(page) ? [] : [`"${words}" finds ${first} first, not ${page}`];
});
if (wrong.length > 0) throw new Error(`The site's search:\n${wrong.join("\n")}`);
