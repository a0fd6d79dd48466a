import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** The addresses that the page handles. The server sends the same page for all of them. */
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

/** Serves the built page, compressed. Streams must not be compressed, so this only applies to the page's own routes. */
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
      // Keep secret links of shared conversations out of search engines.
      if (route.startsWith("/share/")) c.header("X-Robots-Tag", "noindex");
      return c.html(html);
    });
  }

  if (existsSync(webRoot)) {
    routes.get(
      "*",
      compress(),
      // The build writes Brotli and gzip forms of long files next to them, which are sent unchanged.
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

/** Reads the built page; `undefined` if it does not exist. */
export function readPage(webRoot: string): Promise<string | undefined> {
  return readFile(path.join(webRoot, "index.html"), "utf8").catch(() => undefined);
}
