import type { Context, NotFoundHandler } from "hono";
import { readPage } from "./page.ts";
import { notFound, problemResponse } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** Answers 404: with the page for a person who follows a link, with a problem for a program. */
export function notFoundHandler(webRoot: string): NotFoundHandler<ServiceEnv> {
  return async (c) => {
    const html = isForPerson(c) ? await readPage(webRoot) : undefined;
    if (html === undefined) return problemResponse(c, notFound("page"));
    c.header("Cache-Control", "no-cache");
    return c.html(html, 404);
  };
}

/** Browsers accept HTML when they navigate, but not in a script's request. */
function isForPerson(c: Context): boolean {
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  return isRead && (c.req.header("Accept") ?? "").includes("text/html");
}
