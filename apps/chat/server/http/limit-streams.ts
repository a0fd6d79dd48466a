import type { MiddlewareHandler } from "hono";
import type { StreamPlaces } from "../services/stream-places.ts";
import { HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** Some answer of those in flight ends sooner than that. */
const RETRY_AFTER_SECONDS = 5;

/** Answers 503 while as many answers are streamed as this process may; a place is held until the response is closed. */
export function limitStreams(places: StreamPlaces): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    const leave = places.take();
    if (!leave) throw busy();
    const outgoing = c.env?.outgoing;
    outgoing?.once("close", leave);
    try {
      await next();
    } finally {
      // Without a socket nothing says when the response was read; with one that closed already, nothing says so again.
      if (!outgoing || outgoing.closed) leave();
    }
  };
}

function busy(): HttpProblem {
  return new HttpProblem(
    503,
    "busy",
    `More people are being answered just now than the service has room for. Please try again in ${RETRY_AFTER_SECONDS} seconds.`,
    { headers: { "Retry-After": String(RETRY_AFTER_SECONDS) } },
  );
}
