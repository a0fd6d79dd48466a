import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** The addresses that the page itself tells apart; the server gives the same page for each. */
const PAGE_ROUTES = [
  "/",
  "/c/:id",
  "/share/:token",
  "/sign-in",
  "/sign-up",
  "/account",
  "/forgot-password",
  "/reset-password",
];

/** A file whose name holds a hash of its content never changes. */
const FOREVER = "public, max-age=31536000, immutable";
const ASK_EACH_TIME = "no-cache";

/** Serves the built page. Compresses, which nothing that streams may be: so it is mounted on its own routes alone. */
export function pageRoutes(webRoot: string): Hono<ServiceEnv> {
  const routes = new Hono<ServiceEnv>();
  for (const route of PAGE_ROUTES) {
    routes.get(route, compress(), async (c) => {
      const html = await readPage(webRoot);
      if (html === undefined) {
        throw new HttpProblem(
          503,
          "page_not_built",
          "The page is not built yet: run `npm run build`. The API already works.",
        );
      }
      c.header("Cache-Control", ASK_EACH_TIME);
      // What somebody shared by a secret link is not for search engines.
      if (route.startsWith("/share/")) c.header("X-Robots-Tag", "noindex");
      return c.html(html);
    });
  }

  if (existsSync(webRoot)) {
    routes.get(
      "*",
      compress(),
      // The build leaves the Brotli and gzip forms of long files next to them: those are sent as they are.
      serveStatic({
        root: webRoot,
        precompressed: true,
        onFound: (file, c) => {
          const isHashed = path.relative(webRoot, file).startsWith(`assets${path.sep}`);
          c.header("Cache-Control", isHashed ? FOREVER : ASK_EACH_TIME);
        },
      }),
    );
  }
  return routes;
}

/** The built page, or `undefined` where there is none yet. */
export function readPage(webRoot: string): Promise<string | undefined> {
  return readFile(path.join(webRoot, "index.html"), "utf8").catch(() => undefined);
}
