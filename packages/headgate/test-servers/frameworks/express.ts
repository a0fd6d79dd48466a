import { createRequire } from "node:module";
import express from "express";
import { admissionOf, rateLimit } from "../../src/adapters/express.ts";
import { type AdapterRoute, optionsFor, type ServedRoute } from "../../src/testing/index.ts";
import { fieldsOf, textOf, write } from "./bodies.ts";
import { listening } from "./listening.ts";

export const express5 = express;
/** Under another name, since both are installed; its types are near enough. */
export const express4: typeof express = createRequire(import.meta.url)("express4");

export function serveExpress(framework: typeof express, route: AdapterRoute): Promise<ServedRoute> {
  const { guards, fieldsBefore, answer } = route;
  const app = framework();
  app.use((_request, response, next) => {
    response.set(fieldsBefore);
    next();
  });
  for (const { limiter, options } of guards) app.use(rateLimit(limiter, optionsFor(options, fieldsOf)));
  app.use(async (request, response) => {
    const given = await answer(admissionOf(request), await textOf(request));
    if (typeof given.body === "string") response.status(given.status).set(given.headers).send(given.body);
    else await write(response, given);
  });
  return listening(app);
}
