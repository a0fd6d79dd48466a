import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { admissionOf, rateLimit as guardFetch } from "../../src/adapters/fetch.ts";
import { rateLimit as guardHono } from "../../src/adapters/hono.ts";
import { type AdapterRoute, optionsFor, type ReadField, type ServedRoute } from "../../src/testing/index.ts";
import { responseOf } from "./bodies.ts";
import { servedBy } from "./listening.ts";

const exposeHeaders = "Access-Control-Expose-Headers";

/** A handler of the web's own kind. There nothing stands in front of a guard, so that what is exposed is so by the handler. */
export function serveFetch({ limiter, options, exposedBefore, answer }: AdapterRoute): Promise<ServedRoute> {
  const guard = guardFetch(
    limiter,
    optionsFor(options, (request: Request) => fieldsOf(request.headers)),
  );
  const guarded = guard(async (request) =>
    responseOf(await answer(admissionOf(request), await request.text())),
  );
  return serve(async (request) => {
    const response = await guarded(request);
    if (exposedBefore === undefined) return response;
    const exposed = [exposedBefore, response.headers.get(exposeHeaders)].filter(Boolean).join(", ");
    response.headers.set(exposeHeaders, exposed);
    return response;
  });
}

export function serveHono({ limiter, options, exposedBefore, answer }: AdapterRoute): Promise<ServedRoute> {
  const app = new Hono();
  app.use((c, next) => {
    if (exposedBefore !== undefined) c.header(exposeHeaders, exposedBefore);
    return next();
  });
  app.all(
    "/",
    guardHono(
      limiter,
      optionsFor(options, (c: Context) => fieldsOf(c.req.raw.headers)),
    ),
    async (c) => {
      const response = responseOf(await answer(c.get("admission"), await c.req.text()));
      // As a response of the context's own, which carries what was set before.
      return c.newResponse(response.body, response);
    },
  );
  return serve(app.fetch);
}

async function serve(handler: (request: Request) => Response | Promise<Response>): Promise<ServedRoute> {
  const server = createAdaptorServer({ fetch: handler }) as Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return servedBy(server);
}

function fieldsOf(headers: Headers): ReadField {
  return (name) => headers.get(name) ?? undefined;
}
