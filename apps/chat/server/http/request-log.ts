import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { Refused } from "headgate";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import type { ServiceEnv } from "./service-env.ts";

/** What the client, or a proxy in front, calls the request: short, and nothing that could forge a line of the log. */
const SANE_GIVEN_ID = /^[A-Za-z0-9._:-]{1,64}$/;

const requestIds = new AsyncLocalStorage<string>();

/** The id of the request that is being handled, for what does not see the request itself. */
export function currentRequestId(): string | undefined {
  return requestIds.getStore();
}

/**
 * Gives each request its id, and writes one line for each when its head was sent: never what people wrote, and no
 * address in the path that would let a reader of the log open a conversation or a shared page.
 *
 * @param refusals is given the id of a request that a limiter refused
 */
export function requestLog(
  log: Logger,
  refusals?: { name(refused: Refused, requestId: string): void },
): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    // Always our own: an operator finds refusals by it, and a client that chose its id could pass for another's.
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
