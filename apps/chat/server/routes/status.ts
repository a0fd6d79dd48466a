import type { Limiter } from "headgate";
import headgatePackage from "headgate/package.json" with { type: "json" };
import { Hono } from "hono";
import type { Me } from "../../contract.ts";
import chatPackage from "../../package.json" with { type: "json" };
import { HttpProblem } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import type { CreditService } from "../services/credit.ts";
import {
  type Identity,
  type IdentitySources,
  identify,
  type RateLimitCaller,
  rateLimitCaller,
} from "../services/identity.ts";
import { toQuota } from "../services/limits.ts";

const READY_TIMEOUT_MS = 2_000;

export interface StatusDependencies {
  sources: IdentitySources;
  chatLimiter: Limiter<RateLimitCaller>;
  credit: CreditService;
  model: Me["model"];
  /** Whether answers cost anything. */
  isPriced: boolean;
  taxYearsKnown: readonly string[];
  ping(): Promise<void>;
  isStopping(): boolean;
}

/** Is it alive, can it serve, what is it, and who am I. */
export function statusRoutes(dependencies: StatusDependencies): Hono<ServiceEnv> {
  const { sources, chatLimiter, credit, model, isPriced, taxYearsKnown, ping, isStopping } = dependencies;
  const routes = new Hono<ServiceEnv>();

  routes.get("/health", (c) => c.json({ status: "ok" }));

  routes.get("/ready", async (c) => {
    const database = await answersInTime(ping);
    const store = storeState(chatLimiter);
    // Without the limits' store the service still serves, by the outage policies: that is no reason to take it away.
    if (database && !isStopping()) return c.json({ status: "ready", database: "ok", store });
    throw new HttpProblem(
      503,
      isStopping() ? "stopping" : "not_ready",
      isStopping() ? "The service is stopping." : "The database does not answer.",
      { members: { database: database ? "ok" : "unreachable", store } },
    );
  });

  routes.get("/version", (c) =>
    c.json({
      service: { name: chatPackage.name, version: chatPackage.version },
      library: { name: headgatePackage.name, version: headgatePackage.version },
      model,
      taxYears: taxYearsKnown,
    }),
  );

  routes.get("/me", async (c) => {
    const identity = await identify(c, sources);
    const { limits } = await chatLimiter.peek(await rateLimitCaller(c, sources));
    const me: Me = {
      caller: toCaller(identity),
      quota: limits.map(toQuota),
      credit: isPriced && identity.kind === "account" ? await credit.of(identity.id) : null,
      model,
    };
    return c.json(me);
  });

  return routes;
}

type StoreState = "ok" | "failing" | "down" | "recovering";

/** Why it fails is for the log: the reason may name hosts. */
function storeState(limiter: Limiter<RateLimitCaller>): { name: string; state: StoreState } {
  const { store, state, failures } = limiter.status();
  if (state === "open") return { name: store, state: "down" };
  if (state === "half-open") return { name: store, state: "recovering" };
  return { name: store, state: failures > 0 ? "failing" : "ok" };
}

async function answersInTime(ping: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), READY_TIMEOUT_MS);
  });
  const answer = ping().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** The visitor's cookie is a secret of the browser's: it is not repeated. */
function toCaller(identity: Identity): Me["caller"] {
  return identity.kind === "anonymous" ? { kind: "anonymous" } : identity;
}
