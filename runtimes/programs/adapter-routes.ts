import type { FetchHandler } from "headgate/fetch";
import {
  type AdapterAnswer,
  type AdapterRoute,
  type AdapterTest,
  adapterSuite,
  optionsFor,
  type ReadField,
} from "headgate/testing";

type Handler = (request: Request) => Response | Promise<Response>;

/** The `rateLimit` of `headgate/fetch`, or of another adapter for the same kind of handler. */
type Adapter = Pick<typeof import("headgate/fetch"), "admissionOf" | "rateLimit">;

/** An adapter's suite inside an engine: routes are mounted under `/<folder>/<number>/` of the engine's own server. */
export interface AdapterRoutes {
  /** Returns the route of a request; `undefined` if there is none. */
  find(pathname: string): Handler | undefined;
  /** @param origin the origin of the engine's server */
  tests(origin: string): AdapterTest[];
}

export function adapterRoutes(adapter: Adapter, folder = "routes"): AdapterRoutes {
  const routes = new Map<string, Handler>();
  let next = 0;

  return {
    find: (pathname) => routes.get(pathname.split("/", 3).join("/")),

    tests: (origin) =>
      adapterSuite({
        serve(route) {
          next += 1;
          const path = `/${folder}/${next}`;
          routes.set(path, guarded(route, adapter));
          return { origin: `${origin}${path}`, close: () => void routes.delete(path) };
        },
      }),
  };
}

function guarded(
  { guards, fieldsBefore, answer, observe }: AdapterRoute,
  { admissionOf, rateLimit }: Adapter,
): Handler {
  const handler = guards.reduceRight<FetchHandler>(
    (inner, { limiter, options }) => rateLimit(limiter, optionsFor(options, fieldsOf, responseOf))(inner),
    async (request) => responseOf(await answer(admissionOf(request), await request.text())),
  );
  return async (request) => {
    const response = await handler(request);
    observe(admissionOf(request));
    return withFieldsBefore(fieldsBefore, response);
  };
}

function responseOf({ status, headers, body }: AdapterAnswer): Response {
  return new Response(typeof body === "string" || body === null ? body : streamOf(body), { status, headers });
}

function fieldsOf({ headers }: Request): ReadField {
  return (name) => headers.get(name) ?? undefined;
}

function withFieldsBefore(fields: AdapterRoute["fieldsBefore"], response: Response): Response {
  for (const [name, value] of Object.entries(fields)) {
    response.headers.set(name, [value, response.headers.get(name)].filter(Boolean).join(", "));
  }
  return response;
}

function streamOf(pieces: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(new TextEncoder().encode(value));
    },
  });
}
