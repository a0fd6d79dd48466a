import { createRequire } from "node:module";
import express, { type Request, type Response } from "express";
import { admissionOf, rateLimit } from "../../headgate/src/adapters/express.ts";
import {
  type AdapterAnswer,
  type AdapterRoute,
  optionsFor,
  type ServedRoute,
} from "../../headgate/src/testing/index.ts";
import { fieldsOf, textOf, write } from "./bodies.ts";
import { listening } from "./listening.ts";

export const express5 = express;
/** Express 4, installed under another name next to Express 5, with the types of 5. */
export const express4: typeof express = createRequire(import.meta.url)("express4");

export function serveExpress(framework: typeof express, route: AdapterRoute): Promise<ServedRoute> {
  const { guards, fieldsBefore, answer, observe } = route;
  const app = framework();
  app.use((request, response, next) => {
    response.once("close", () => observe(admissionOf(request)));
    response.set(fieldsBefore);
    next();
  });
  for (const { limiter, options } of guards) {
    app.use(rateLimit(limiter, optionsFor(options, fieldsOf, answerRefused)));
  }
  const handle = async (request: Request, response: Response) => {
    const given = await answer(admissionOf(request), await textOf(request));
    if (typeof given.body === "string") response.status(given.status).set(given.headers).send(given.body);
    else await write(response, given);
  };
  app.use((request, response, next) => void handle(request, response).catch(next));
  app.set("env", "test");
  return listening(app);
}

function answerRefused(answer: AdapterAnswer, _request: Request, response: Response): void {
  response.status(answer.status).set(answer.headers).send(answer.body);
}
