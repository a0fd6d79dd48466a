import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import {
  admissionOf,
  type FetchHandler,
  rateLimit as guardFetch,
} from "../../headgate/src/adapters/fetch.ts";
import { admissionOf as admissionOfHono, rateLimit as guardHono } from "../../headgate/src/adapters/hono.ts";
import {
  admissionOf as admissionOfNext,
  rateLimit as guardNext,
  type NextHandler,
} from "../../headgate/src/adapters/next.ts";
import {
  type AdapterRoute,
  optionsFor,
  type ReadField,
  type ServedRoute,
} from "../../headgate/src/testing/index.ts";
import { responseOf } from "./bodies.ts";
import { servedBy } from "./listening.ts";

/** Serves a web-standard handler. Nothing runs before a guard there, so the handler sets all fields. */
export function serveFetch({ guards, fieldsBefore, answer, observe }: AdapterRoute): Promise<ServedRoute> {
  const guarded = guards.reduceRight<FetchHandler>(
    (handler, { limiter, options }) =>
      guardFetch(limiter, optionsFor(options, fieldsOfRequest, responseOf))(handler),
    async (request) => responseOf(await answer(admissionOf(request), await request.text())),
  );
  return serve(async (request) => {
    const response = await guarded(request);
    observe(admissionOf(request));
    return beside(fieldsBefore, response);
  });
}

type RouteHandler = NextHandler<[{ params: Promise<{ id: string }> }], RouteRequest>;

/** Serves a route handler, called as Next calls it: with Next's own kind of request, and the context of the route. */
export function serveNext({ guards, fieldsBefore, answer, observe }: AdapterRoute): Promise<ServedRoute> {
  const route = guards.reduceRight<RouteHandler>(
    (handler, { limiter, options }) =>
      guardNext(limiter, optionsFor(options, fieldsOfRequest, responseOf))(handler),
    async (request, { params }) => {
      if ((await params).id !== request.nextUrl.pathname)
        throw new Error("The guard did not pass on the context.");
      return responseOf(await answer(admissionOfNext(request), await request.text()));
    },
  );
  return serve(async (request) => {
    const { url, method, headers, body, signal } = request;
    const own = new RouteRequest(url, { method, headers, body, signal, duplex: "half" } as RequestInit);
    const response = await route(own, { params: Promise.resolve({ id: own.nextUrl.pathname }) });
    observe(admissionOfNext(own));
    return beside(fieldsBefore, response);
  });
}

/** Like `NextRequest`, a `Request` with more properties. */
class RouteRequest extends Request {
  get nextUrl() {
    return new URL(this.url);
  }
}

function beside(fieldsBefore: AdapterRoute["fieldsBefore"], response: Response): Response {
  for (const [name, value] of Object.entries(fieldsBefore)) {
    response.headers.set(name, [value, response.headers.get(name)].filter(Boolean).join(", "));
  }
  return response;
}

export function serveHono({ guards, fieldsBefore, answer, observe }: AdapterRoute): Promise<ServedRoute> {
  const app = new Hono();
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(fieldsBefore)) c.header(name, value);
    await next();
    observe(admissionOfHono(c));
  });
  for (const { limiter, options } of guards) {
    const byContext = optionsFor(
      options,
      (c: Context) => fieldsOf(c.req.raw.headers),
      (given) => responseOf(given),
    );
    app.all("/", guardHono(limiter, byContext));
  }
  app.all("/", async (c) => {
    const response = responseOf(await answer(admissionOfHono(c), await c.req.text()));
    // The context's own response keeps the fields that were set before.
    return c.newResponse(response.body, response);
  });
  return serve(app.fetch);
}

async function serve(handler: (request: Request) => Response | Promise<Response>): Promise<ServedRoute> {
  const server = createAdaptorServer({ fetch: handler }) as Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return servedBy(server);
}

const fieldsOfRequest = (request: Request) => fieldsOf(request.headers);

function fieldsOf(headers: Headers): ReadField {
  return (name) => headers.get(name) ?? undefined;
}
