import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { Refused } from "headgate";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import type { ServiceEnv } from "./service-env.ts";

/** A request id from the client or a proxy may be logged if it is short and cannot forge a log line. */
const SANE_GIVEN_ID = /^[A-Za-z0-9._:-]{1,64}$/;

const requestIds = new AsyncLocalStorage<string>();

/** Returns the id of the current request, for code that does not have the request. */
export function currentRequestId(): string | undefined {
  return requestIds.getStore();
}

/**
 * Generates each request's id, and logs one line per request when its head is sent. The line never contains what people
 * wrote, nor a path with which a reader of the log could open a conversation or a shared page.
 *
 * @param refusals gets the id of each request that a limiter refused
 */
export function requestLog(
  log: Logger,
  refusals?: { name(refused: Refused, requestId: string): void },
): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    // Never use the client's id: operators find refusals by this id, and a client could otherwise use another client's.
    const requestId = randomUUID();
    const given = c.req.header("X-Request-Id");
    const requestLogger = log.child({
      requestId,
      ...(given && SANE_GIVEN_ID.test(given) ? { givenId: given } : {}),
    });
    c.set("requestId", requestId);
    c.set("log", requestLogger);
    const startedAt = performance.now();

    await requestIds.run(requestId, next);

    c.header("X-Request-Id", requestId);
    const identity = await c.get("identity")?.catch(() => undefined);
    const refusedBy = c.get("refusedBy");
    const admission = c.get("admission");
    if (admission?.admitted === false) refusals?.name(admission, requestId);
    requestLogger.info(
      {
        method: c.req.method,
        route: routePath(c, -1),
        status: c.res.status,
        ms: Math.round(performance.now() - startedAt),
        ...(identity ? { caller: identity.kind } : {}),
        ...(admission ? { admitted: true } : {}),
        ...(refusedBy ? { admitted: false, refusedBy } : {}),
      },
      "request",
    );
  };
}
