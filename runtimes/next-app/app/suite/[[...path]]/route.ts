import * as adapter from "headgate/next";
import { adapterRoutes } from "../../../../programs/adapter-routes.ts";
import { runTest } from "../../../../programs/run-test.ts";

const routes = adapterRoutes(adapter, "suite");

/** The `Vary` values that Next adds to every response, and that no guard wrote. */
const variesByItself = /(?:rsc|next-[a-z-]+|accept-encoding)(?:, |$)/gi;

/** Removes what Next adds to requests and responses, because the suite is not written for an application. */
globalThis.fetch = withoutOwnVary(globalThis.fetch);

function withoutOwnVary(usual: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await usual(input, init);
    const vary = response.headers.get("vary")?.replace(variesByItself, "").replace(/, $/, "");
    const headers = new Headers(response.headers);
    if (vary) headers.set("vary", vary);
    else headers.delete("vary");
    return new Proxy(response, {
      get: (target, name) => {
        if (name === "headers") return headers;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
}

function handle(request: Request): Response | Promise<Response> {
  const url = new URL(request.url);
  const route = routes.find(url.pathname);
  return route === undefined ? runTest(routes.tests(url.origin), url) : route(request);
}

export {
  handle as DELETE,
  handle as GET,
  handle as HEAD,
  handle as OPTIONS,
  handle as PATCH,
  handle as POST,
  handle as PUT,
};
