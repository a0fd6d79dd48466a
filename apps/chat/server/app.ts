import type { Limiter } from "headgate";
import { Hono } from "hono";
import type { Logger } from "pino";
import { databaseTrouble } from "./database-trouble.ts";
import { closeIfUnread, limitBodies } from "./http/bodies.ts";
import { describeError } from "./http/describe-error.ts";
import { whileThereIsRoom } from "./http/disk-space.ts";
import { dropBodyOfHead } from "./http/head.ts";
import { oneHostOnly, ownHostOnly } from "./http/host.ts";
import { refuseOtherMethods } from "./http/method-not-allowed.ts";
import { notFoundHandler } from "./http/not-found.ts";
import { sameOriginOnly } from "./http/origin.ts";
import { pageRoutes } from "./http/page.ts";
import { databaseProblem, HttpProblem, problemResponse } from "./http/problems.ts";
import { requestLog } from "./http/request-log.ts";
import { securityHeaders } from "./http/security.ts";
import type { ServiceEnv } from "./http/service-env.ts";
import { type AccountOwnerDependencies, accountOwnerRoutes } from "./routes/account-owner.ts";
import { type AccountRouteDependencies, accountRoutes } from "./routes/accounts.ts";
import { type ConversationDependencies, conversationRoutes } from "./routes/conversations.ts";
import { type MessageDependencies, messageRoutes } from "./routes/message.ts";
import { type MetricsDependencies, metricsRoutes } from "./routes/metrics.ts";
import { type OperatorDependencies, operatorRoutes } from "./routes/operator.ts";
import { type StatusDependencies, statusRoutes } from "./routes/status.ts";
import { type TitleDependencies, titleRoutes } from "./routes/title.ts";
import { addressOf } from "./services/identity.ts";

/** Everything that the routes need. `startService` creates it from the environment. */
export interface AppDependencies
  extends AccountOwnerDependencies,
    AccountRouteDependencies,
    ConversationDependencies,
    MessageDependencies,
    MetricsDependencies,
    OperatorDependencies,
    StatusDependencies,
    TitleDependencies {
  log: Logger;
  bodiesLimiter: Limiter<{ address: string }>;
  /** The value of `HOST`. */
  host: string;
  /** The folder of the built page. */
  webRoot: string;
}

/** Combines the routes. It does not read the environment, open a port or keep state. */
export function createApp(dependencies: AppDependencies): Hono<ServiceEnv> {
  const { log, publicUrl, bodiesLimiter, trustProxy, webRoot, host, readiness } = dependencies;
  const app = new Hono<ServiceEnv>();

  app.use(requestLog(log, dependencies.operator?.collector));
  app.use(closeIfUnread);
  app.use(dropBodyOfHead);
  app.use(securityHeaders(publicUrl));
  app.use(oneHostOnly);
  app.use(ownHostOnly(publicUrl, host));
  app.use(sameOriginOnly(publicUrl));
  app.use(limitBodies(bodiesLimiter, (c) => addressOf(c, trustProxy)));
  app.use(whileThereIsRoom(readiness));

  app.route("/", statusRoutes(dependencies));
  app.route("/", metricsRoutes(dependencies));
  app.route("/", operatorRoutes(dependencies));
  app.route("/", accountRoutes(dependencies));
  app.route("/", accountOwnerRoutes(dependencies));
  app.route("/", conversationRoutes(dependencies));
  app.route("/", messageRoutes(dependencies));
  app.route("/", titleRoutes(dependencies));
  app.route("/", pageRoutes(webRoot));
  refuseOtherMethods(app);

  app.notFound(notFoundHandler(webRoot));
  app.onError((error, c) => {
    if (error instanceof HttpProblem) return problemResponse(c, error);
    const logger = c.get("log") ?? log;
    const trouble = databaseTrouble(error);
    logger.error({ error: describeError(error) }, trouble ? "the database failed" : "request failed");
    return problemResponse(c, trouble ? databaseProblem(trouble) : unexpected());
  });
  return app;
}

function unexpected(): HttpProblem {
  return new HttpProblem(
    500,
    "internal_error",
    "Something went wrong on our side. Please try again. If it happens again, give the request id to the operator.",
  );
}
