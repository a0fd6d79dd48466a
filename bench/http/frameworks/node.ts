import { createServer, type RequestListener } from "node:http";
import { createHitLimit } from "@joint-ops/hitlimit/node";
import { rateLimit } from "headgate/node";
import { answer, byHand, callerOf, headgate, layers, refusedBody } from "../callers.ts";
import { listening } from "../listening.ts";

const endpoint: RequestListener = (_request, response) => {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(answer);
};

export function bare(): Promise<number> {
  return listening(createServer(endpoint));
}

export function guarded(): Promise<number> {
  const guard = rateLimit(headgate(), { caller: (request) => callerOf(request.headers) });
  return listening(createServer(guard(endpoint)));
}

/** https://www.npmjs.com/package/@joint-ops/hitlimit#raw-nodejs-http */
export function usual(): Promise<number> {
  const limiters = layers.map(({ by, limit: { quota, windowMs } }) =>
    createHitLimit({ limit: quota, window: windowMs, key: (request) => callerOf(request.headers)[by] }),
  );
  return listening(
    createServer(async (request, response) => {
      for (const limiter of limiters) {
        const { allowed, headers, body } = await limiter.check(request);
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        if (!allowed) {
          response.statusCode = 429;
          response.setHeader("Content-Type", "application/json");
          response.end(JSON.stringify(body));
          return;
        }
      }
      endpoint(request, response);
    }),
  );
}

export function floor(): Promise<number> {
  const decide = byHand();
  return listening(
    createServer((request, response) => {
      const { admitted, policy, rateLimit: state, retryAfter } = decide(callerOf(request.headers));
      response.setHeader("RateLimit-Policy", policy);
      response.setHeader("RateLimit", state);
      if (admitted) {
        endpoint(request, response);
        return;
      }
      response.statusCode = 429;
      response.setHeader("Retry-After", retryAfter);
      response.setHeader("Content-Type", "application/problem+json");
      response.end(refusedBody);
    }),
  );
}
