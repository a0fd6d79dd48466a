import type { Limiter } from "headgate";
import { rateLimit } from "headgate/hono";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { z } from "zod";
import { readBody } from "../http/body.ts";
import { jsonInPieces } from "../http/json-in-pieces.ts";
import { noteRefusal } from "../http/note-refusal.ts";
import { badRequest } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import type { ConversationService, Reading } from "../services/conversations.ts";
import { addressOf, type IdentitySources, identify, ownerOf, ownerToBe } from "../services/identity.ts";
import { oneLine } from "../services/text.ts";

const LONGEST_TITLE = 200;
const PAGE_SIZE = 30;
const LARGEST_PAGE = 100;
const LONGEST_SEARCH = 200;

const title = z
  .string({ error: "should be text" })
  .transform(oneLine)
  .pipe(
    z
      .string()
      .min(1, "should not be empty")
      .max(LONGEST_TITLE, `should be ${LONGEST_TITLE} characters at most`),
  );
const createBody = z.looseObject({ title: title.optional() }, { error: "should be an object" });
const renameBody = z.looseObject({ title }, { error: "should be an object with a title" });

export interface ConversationDependencies {
  conversations: ConversationService;
  sources: IdentitySources;
  searchLimiter: Limiter<{ address: string }>;
  readLimiter: Limiter<{ address: string }>;
}

/** Routes for a caller's own conversations, and for public links to them. */
export function conversationRoutes({
  conversations,
  sources,
  searchLimiter,
  readLimiter,
}: ConversationDependencies): Hono<ServiceEnv> {
  const routes = new Hono<ServiceEnv>();
  const guard = rateLimit<{ address: string }, ServiceEnv>(searchLimiter, {
    caller: (c) => ({ address: addressOf(c, sources.trustProxy) }),
    skip: (c) => oneLine(c.req.query("search") ?? "") === "",
  });

  const guardReading = rateLimit<{ address: string }, ServiceEnv>(readLimiter, {
    caller: (c) => ({ address: addressOf(c, sources.trustProxy) }),
    cost: (c) => ({ requests: c.get("reading").pieces }),
  });

  /** Adds a route that returns a conversation, after a limit that counts its length. */
  function readRoute(path: string, open: (c: Context<ServiceEnv>) => Promise<Reading>): void {
    const opened: MiddlewareHandler<ServiceEnv> = async (c, next) => {
      c.set("reading", await open(c));
      await next();
    };
    routes.get(path, noteRefusal, opened, guardReading, (c) => jsonInPieces(c, c.get("reading").json));
  }

  routes.get("/conversations", noteRefusal, guard, async (c) => {
    const owner = ownerOf(await identify(c, sources));
    const { limit, cursor, search } = c.req.query();
    const request = { limit: readPageSize(limit), cursor, search: readSearch(search) };
    return c.json(await conversations.list(owner, request, c.req.raw.signal));
  });

  routes.post("/conversations", async (c) => {
    const { title } = await readBody(c, createBody, { absent: {} });
    return c.json(await conversations.create(await ownerToBe(c, sources), title), 201);
  });

  readRoute("/conversations/:id", async (c) =>
    conversations.get(ownerOf(await identify(c, sources)), c.req.param("id") ?? ""),
  );

  routes.patch("/conversations/:id", async (c) => {
    const { title } = await readBody(c, renameBody);
    return c.json(await conversations.rename(ownerOf(await identify(c, sources)), c.req.param("id"), title));
  });

  routes.delete("/conversations/:id", async (c) => {
    await conversations.remove(ownerOf(await identify(c, sources)), c.req.param("id"));
    return c.body(null, 204);
  });

  routes.post("/conversations/:id/share", async (c) => {
    return c.json(await conversations.share(ownerOf(await identify(c, sources)), c.req.param("id")));
  });

  routes.delete("/conversations/:id/share", async (c) => {
    return c.json(await conversations.unshare(ownerOf(await identify(c, sources)), c.req.param("id")));
  });

  readRoute("/shared/:token", (c) => conversations.shared(c.req.param("token") ?? ""));

  return routes;
}

function readPageSize(text: string | undefined): number {
  if (text === undefined) return PAGE_SIZE;
  const size = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= LARGEST_PAGE) return size;
  throw badRequest(`limit should be a whole number from 1 to ${LARGEST_PAGE}.`, [
    { path: "limit", message: `should be a whole number from 1 to ${LARGEST_PAGE}` },
  ]);
}

/** Reads the search text as one line; `undefined` for a blank search, which finds everything. */
function readSearch(text = ""): string | undefined {
  const words = oneLine(text);
  if (words.length <= LONGEST_SEARCH) return words || undefined;
  const message = `should be ${LONGEST_SEARCH} characters at most`;
  throw badRequest(`search ${message}.`, [{ path: "search", message }]);
}
