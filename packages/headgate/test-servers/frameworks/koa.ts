import { Readable } from "node:stream";
import Koa from "koa";
import { admissionOf, rateLimit } from "../../src/adapters/koa.ts";
import { type AdapterRoute, optionsFor, type ServedRoute } from "../../src/testing/index.ts";
import { fieldsOf, textOf } from "./bodies.ts";
import { listening } from "./listening.ts";

export function serveKoa({ limiter, options, exposedBefore, answer }: AdapterRoute): Promise<ServedRoute> {
  const app = new Koa();
  app.use((context, next) => {
    if (exposedBefore !== undefined) context.set("Access-Control-Expose-Headers", exposedBefore);
    return next();
  });
  app.use(rateLimit(limiter, optionsFor(options, fieldsOf)));
  app.use(async (context) => {
    const { status, headers, body } = await answer(admissionOf(context), await textOf(context.req));
    context.set(headers);
    context.body = body === null || typeof body === "string" ? body : Readable.from(body);
    context.status = status;
  });
  return listening(app.callback());
}
