import type { AdapterSuiteOptions } from "../../headgate/src/testing/index.ts";
import { express4, express5, serveExpress } from "./express.ts";
import { serveFastify } from "./fastify.ts";
import { serveKoa } from "./koa.ts";
import { serveNestOnExpress, serveNestOnFastify } from "./nest.ts";
import { serveNode } from "./node.ts";
import { serveFetch, serveHono, serveNext } from "./web.ts";

/** Every framework with an adapter, each on its own server. */
export const frameworks: Record<string, AdapterSuiteOptions["serve"]> = {
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
