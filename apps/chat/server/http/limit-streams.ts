import type { MiddlewareHandler } from "hono";
import type { StreamPlaces } from "../services/stream-places.ts";
import { busy } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/**
 * Answers 503 while this process streams its maximum number of answers. A place is held until the response is closed
 * and the answer has ended, which it does even if its reader has left.
 */
export function limitStreams(places: StreamPlaces): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    const leave = places.take();
    if (!leave) throw busy();
    const outgoing = c.env?.outgoing;
    const closed = new Promise<void>((resolve) => {
      // Without a socket, or with a closed one, there will be no close event.
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
