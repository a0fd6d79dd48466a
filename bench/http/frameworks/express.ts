import { createServer } from "node:http";
import { hitlimit } from "@joint-ops/hitlimit";
import express, { type RequestHandler } from "express";
import { rateLimit as expressRateLimit } from "express-rate-limit";
import { rateLimit } from "headgate/express";
import { answer, byHand, callerOf, headgate, layers, refusedBody } from "../callers.ts";
import { listening } from "../listening.ts";

function serve(...guards: RequestHandler[]): Promise<number> {
  const app = express();
  app.get("/", ...guards, (_request, response) => {
    response.type("text/plain").send(answer);
  });
  return listening(createServer(app));
}

export const bare = () => serve();

export const guarded = () => serve(rateLimit(headgate(), { caller: (request) => callerOf(request.headers) }));

/** https://www.npmjs.com/package/express-rate-limit#usage, one for each layer. */
export const usual = () =>
  serve(
    ...layers.map(({ by, limit: { quota, windowMs } }) =>
      expressRateLimit({
        windowMs,
        limit: quota,
        standardHeaders: "draft-8",
        legacyHeaders: false,
        keyGenerator: (request) => callerOf(request.headers)[by],
      }),
    ),
  );

/** https://www.npmjs.com/package/@joint-ops/hitlimit#express, one for each layer. */
export const hitlimited = () =>
  serve(
    ...layers.map(({ by, limit: { quota, windowMs } }) =>
      hitlimit({ limit: quota, window: windowMs, key: (request) => callerOf(request.headers)[by] }),
    ),
  );

export const floor = () => {
  const decide = byHand();
  return serve((request, response, next) => {
    const { admitted, policy, rateLimit: state, retryAfter } = decide(callerOf(request.headers));
    response.setHeader("RateLimit-Policy", policy);
    response.setHeader("RateLimit", state);
    if (admitted) {
      next();
      return;
    }
    response.statusCode = 429;
    response.setHeader("Retry-After", retryAfter);
    response.setHeader("Content-Type", "application/problem+json");
    response.end(refusedBody);
  });
};
