import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { HeadgateError } from "headgate";
import { Hono } from "hono";
import type { Logger } from "pino";
import { describeError } from "../http/describe-error.ts";
import { isSameText } from "../http/same-text.ts";
import { carryOut, type OrderServices, readOrder } from "./order.ts";

/**
 * Receives the operator's commands on a port that only this machine can reach. Only one process can use an embedded
 * database, so while the service runs, the service must do what a command asks.
 * Its token is in the folder's `holder.json`, which only the operator's own user can read.
 */
export interface OperatorServer {
  url: string;
  token: string;
  /** Starts to carry out orders. Until then, the server answers 503. */
  serve(services: OrderServices, log: Logger): void;
  close(): Promise<void>;
}

export async function startOperatorServer(): Promise<OperatorServer> {
  const token = randomBytes(32).toString("base64url");
  let services: OrderServices | undefined;
  let log: Logger | undefined;
  const app = new Hono();

  app.use(async (c, next) => {
    if (!isSameText(c.req.header("Authorization") ?? "", `Bearer ${token}`))
      return c.json({ error: "forbidden" }, 403);
    await next();
  });
  app.post("/order", async (c) => {
    const order = readOrder(await c.req.json().catch(() => undefined));
    if (!order) return c.json({ error: "Invalid order." }, 400);
    if (!services) return c.json({ error: "The service is still starting. Try again in a moment." }, 503);
    return c.json((await carryOut(order, services)) ?? null);
  });
  app.onError((error, c) => {
    log?.error({ error: describeError(error) }, "an operator's command failed");
    const reason = error instanceof HeadgateError ? ` (${error.message.replace(/\.$/, "")})` : "";
    return c.json({ error: `The service could not do this${reason}. See its log.` }, 500);
  });

  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // This server alone must not keep the process running.
  server.unref();
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    token,
    serve(offered, logOf) {
      services = offered;
      log = logOf;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}
