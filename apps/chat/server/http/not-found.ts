import type { Context, NotFoundHandler } from "hono";
import { readPage } from "./page.ts";
import { notFound, problemResponse } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** 404: a person who follows a link gets the page, which says so in words; a program gets the problem. */
export function notFoundHandler(webRoot: string): NotFoundHandler<ServiceEnv> {
  return async (c) => {
    const html = isForPerson(c) ? await readPage(webRoot) : undefined;
    if (html === undefined) return problemResponse(c, notFound("page"));
    c.header("Cache-Control", "no-cache");
    return c.html(html, 404);
  };
}

/** Browsers name HTML when they go to an address, and not when a script asks. */
function isForPerson(c: Context): boolean {
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  return isRead && (c.req.header("Accept") ?? "").includes("text/html");
}
