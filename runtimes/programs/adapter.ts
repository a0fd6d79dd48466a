import * as adapter from "headgate/fetch";
import { adapterRoutes } from "./adapter-routes.ts";
import { runTest } from "./run-test.ts";

const routes = adapterRoutes(adapter);

export default {
  fetch(request: Request): Response | Promise<Response> {
    const url = new URL(request.url);
    const route = routes.find(url.pathname);
    return route === undefined ? runTest(routes.tests(url.origin), url) : route(request);
  },
};
