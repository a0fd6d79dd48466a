import { describe, it } from "vitest";
import { express4, express5, serveExpress } from "../../test-servers/frameworks/express.ts";
import { serveFastify } from "../../test-servers/frameworks/fastify.ts";
import { serveKoa } from "../../test-servers/frameworks/koa.ts";
import { serveNestOnExpress, serveNestOnFastify } from "../../test-servers/frameworks/nest.ts";
import { serveNode } from "../../test-servers/frameworks/node.ts";
import { serveFetch, serveHono, serveNext } from "../../test-servers/frameworks/web.ts";
import { type AdapterSuiteOptions, adapterSuite } from "../testing/index.ts";

const frameworks: Record<string, AdapterSuiteOptions["serve"]> = {
  node: serveNode,
  "express 5": (route) => serveExpress(express5, route),
  "express 4": (route) => serveExpress(express4, route),
  fastify: serveFastify,
  koa: serveKoa,
  hono: serveHono,
  fetch: serveFetch,
  next: serveNext,
  "nest on express": serveNestOnExpress,
  "nest on fastify": serveNestOnFastify,
};

describe.each(Object.entries(frameworks))("adapterSuite, on %s", (_name, serve) => {
  const suite = adapterSuite({ serve });

  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run());
});
