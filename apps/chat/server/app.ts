import { Hono } from "hono";
import type { Logger } from "pino";
import { limitBody } from "./http/body.ts";
import { describeError, isDatabaseOutage } from "./http/describe-error.ts";
import { refuseOtherMethods } from "./http/method-not-allowed.ts";
import { notFoundHandler } from "./http/not-found.ts";
import { sameOriginOnly } from "./http/origin.ts";
import { pageRoutes } from "./http/page.ts";
import { HttpProblem, problemResponse } from "./http/problems.ts";
import { requestLog } from "./http/request-log.ts";
import { securityHeaders } from "./http/security.ts";
import type { ServiceEnv } from "./http/service-env.ts";
import { type AccountRouteDependencies, accountRoutes } from "./routes/accounts.ts";
import { conversationRoutes } from "./routes/conversations.ts";
import { type MessageDependencies, messageRoutes } from "./routes/message.ts";
import { type StatusDependencies, statusRoutes } from "./routes/status.ts";
import { type TitleDependencies, titleRoutes } from "./routes/title.ts";

/** Everything the routes need; `startService` makes it from the environment. */
export interface AppDependencies
  extends AccountRouteDependencies,
    MessageDependencies,
    StatusDependencies,
    TitleDependencies {
  log: Logger;
  bodyLimitBytes: number;
  /** The folder of the built page. */
  webRoot: string;
}

/** Puts the routes together. Nothing in here reads the environment, opens a port or keeps state of its own. */
export function createApp(dependencies: AppDependencies): Hono<ServiceEnv> {
  const { log, publicUrl, bodyLimitBytes, webRoot, conversations, sources } = dependencies;
  const app = new Hono<ServiceEnv>();

  app.use(requestLog(log));
  app.use(securityHeaders(publicUrl));
  app.use(sameOriginOnly(publicUrl));
  app.use(limitBody(bodyLimitBytes));

  app.route("/", statusRoutes(dependencies));
  app.route("/", accountRoutes(dependencies));
  app.route("/", conversationRoutes(conversations, sources));
  app.route("/", messageRoutes(dependencies));
  app.route("/", titleRoutes(dependencies));
  app.route("/", pageRoutes(webRoot));
  refuseOtherMethods(app);

  app.notFound(notFoundHandler(webRoot));
  app.onError((error, c) => {
    if (error instanceof HttpProblem) return problemResponse(c, error);
    const logger = c.get("log") ?? log;
    logger.error({ error: describeError(error) }, "request failed");
    return problemResponse(c, isDatabaseOutage(error) ? databaseOutage() : unexpected());
  });
  return app;
}

function databaseOutage(): HttpProblem {
  return new HttpProblem(
    503,
    "database_unreachable",
    "The service cannot reach its database just now. Please try again in a moment.",
  );
}

function unexpected(): HttpProblem {
  return new HttpProblem(
    500,
    "internal_error",
    "Something went wrong on our side. Please try again; if it stays, quote the request's id to the operator.",
  );
}
