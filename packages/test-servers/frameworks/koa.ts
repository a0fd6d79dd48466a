import { Readable } from "node:stream";
import Koa from "koa";
import { admissionOf, rateLimit } from "../../headgate/src/adapters/koa.ts";
import {
  type AdapterAnswer,
  type AdapterRoute,
  optionsFor,
  type ServedRoute,
} from "../../headgate/src/testing/index.ts";
import { fieldsOf, textOf } from "./bodies.ts";
import { listening } from "./listening.ts";

export function serveKoa({ guards, fieldsBefore, answer, observe }: AdapterRoute): Promise<ServedRoute> {
  const app = new Koa();
  app.use(async (context, next) => {
    context.set(fieldsBefore);
    await next();
    observe(admissionOf(context));
  });
  for (const { limiter, options } of guards) {
    app.use(rateLimit(limiter, optionsFor(options, fieldsOf, answerRefused)));
  }
  app.use(async (context) => {
    const { status, headers, body } = await answer(admissionOf(context), await textOf(context.req));
    context.set(headers);
    context.body = body === null || typeof body === "string" ? body : Readable.from(body);
    context.status = status;
  });
  return listening(app.callback());
}

function answerRefused({ status, headers, body }: AdapterAnswer, context: Koa.ParameterizedContext): void {
  context.status = status;
  context.set(headers);
  context.body = body;
}
