import type { MiddlewareHandler } from "hono";
import type { StreamPlaces } from "../services/stream-places.ts";
import { HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** Some answer of those in flight ends sooner than that. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Answers 503 while as many answers are streamed as this process may; a place is held until the response is closed, and
 * the answer has ended: it does so by itself, also when its reader has left.
 */
export function limitStreams(places: StreamPlaces): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    const leave = places.take();
    if (!leave) throw busy();
    const outgoing = c.env?.outgoing;
    const closed = new Promise<void>((resolve) => {
      // Without a socket nothing says when the response was read; with one that closed already, nothing says so again.
      if (!outgoing || outgoing.closed) resolve();
      else outgoing.once("close", resolve);
    });
    try {
      await next();
    } finally {
      void Promise.all([closed, c.get("answered")]).then(leave);
    }
  };
}

export function busy(): HttpProblem {
  return new HttpProblem(
    503,
    "busy",
    `The service is busy right now. Please try again in ${RETRY_AFTER_SECONDS} seconds.`,
    { headers: { "Retry-After": String(RETRY_AFTER_SECONDS) } },
  );
}
