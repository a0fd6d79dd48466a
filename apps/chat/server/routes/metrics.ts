import { type Context, Hono, type MiddlewareHandler } from "hono";
import { isLoopback, oneHostOnly, ownHostOnly } from "../http/host.ts";
import { HttpProblem, problemResponse } from "../http/problems.ts";
import { isSameText } from "../http/same-text.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import type { Metrics } from "../services/metrics.ts";

export interface MetricsDependencies {
  /** The metrics; `undefined` if the service does not count. */
  metrics: Metrics | undefined;
  /** The token to read the metrics; `null` if nobody can. */
  metricsToken: string | null;
}

const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** `GET /metrics`, for clients with the token. Without a token, the route does not exist. */
export function metricsRoutes({ metrics, metricsToken }: MetricsDependencies): Hono<ServiceEnv> {
  const routes = new Hono<ServiceEnv>();
  if (metrics === undefined || metricsToken === null) return routes;
  routes.get("/metrics", onlyWith(metricsToken), (c) => written(c, metrics));
  return routes;
}

/**
 * Serves the metrics on a separate port, without a token. On the loopback address only this machine can reach the port,
 * and a web page cannot reach it through its own host name.
 */
export function metricsApp(metrics: Metrics, host: string): Hono<ServiceEnv> {
  const app = new Hono<ServiceEnv>();
  app.use(oneHostOnly);
  if (isLoopback(host)) app.use(ownHostOnly(null, host));
  app.get("/metrics", (c) => written(c, metrics));
  app.onError((error, c) =>
    error instanceof HttpProblem ? problemResponse(c, error) : c.text("Cannot read the metrics.", 500),
  );
  return app;
}

async function written(c: Context, metrics: Metrics): Promise<Response> {
  return c.body(await metrics.text(), 200, { "Content-Type": TEXT, "Cache-Control": "no-store" });
}

function onlyWith(token: string): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    const [, given = ""] = /^bearer (.*)$/i.exec(c.req.header("Authorization") ?? "") ?? [];
    if (!isSameText(given, token))
      throw new HttpProblem(
        401,
        "token_required",
        "Send the token of METRICS_TOKEN, as Authorization: Bearer ….",
        {
          headers: { "WWW-Authenticate": "Bearer" },
        },
      );
    await next();
  };
}
