import type { Limiter } from "headgate";
import headgatePackage from "headgate/package.json" with { type: "json" };
import { Hono } from "hono";
import type { Me } from "../../contract.ts";
import chatPackage from "../../package.json" with { type: "json" };
import type { DatabaseTrouble } from "../database-trouble.ts";
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
import { quotaOf } from "../services/limits.ts";
import { isAnyPriced, type ModelOffers } from "../services/model-offers.ts";
import type { Readiness } from "../services/readiness.ts";

export interface StatusDependencies {
  sources: IdentitySources;
  chatLimiter: Limiter<RateLimitCaller>;
  credit: CreditService;
  model: Me["model"];
  modelOffers: ModelOffers;
  taxYearsKnown: readonly string[];
  readiness: Readiness;
  /** Every limiter, by the name that the operator sees. */
  limiters: Readonly<Record<string, Pick<Limiter<never>, "status">>>;
  offers: Me["accounts"];
  isStopping(): boolean;
}

/** Routes for health, readiness, the version and the caller. */
export function statusRoutes(dependencies: StatusDependencies): Hono<ServiceEnv> {
  const {
    sources,
    chatLimiter,
    credit,
    model,
    modelOffers,
    taxYearsKnown,
    readiness,
    limiters,
    offers,
    isStopping,
  } = dependencies;
  const routes = new Hono<ServiceEnv>();

  routes.get("/health", (c) => c.json({ status: "ok" }));

  routes.get("/ready", async (c) => {
    const database = await readiness.database();
    const stores = Object.fromEntries(
      Object.entries(limiters).map(([name, limiter]) => [name, storeState(limiter)]),
    );
    // If a limiter's store is down, the outage policies decide, so the service is still ready.
    if (database === "ok" && !isStopping()) return c.json({ status: "ready", database, stores });
    throw new HttpProblem(
      503,
      isStopping() ? "stopping" : "not_ready",
      isStopping() ? "The service is stopping." : NOT_READY[database],
      { members: { database, stores } },
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
    const caller = await rateLimitCaller(c, sources);
    const { limits, plan } = await chatLimiter.peek(caller);
    const offered = modelOffers.of(caller);
    const isPaying = identity.kind === "account" && isAnyPriced(offered);
    const me: Me = {
      caller: toCaller(identity),
      quota: quotaOf(limits),
      plan: plan ?? null,
      credit: isPaying ? await credit.of(identity.id) : null,
      model: { name: offered[0].name, builtIn: offered[0].builtIn },
      models: offered.map(({ name }) => name),
      accounts: offers,
    };
    return c.json(me);
  });

  return routes;
}

const NOT_READY: Record<DatabaseTrouble | "ok", string> = {
  ok: "The service is stopping.",
  busy: "The database has no connection left.",
  unreachable: "The database does not answer.",
  "read-only": "The database is read-only.",
  full: "The disk is full.",
};

type StoreState = "ok" | "failing" | "down" | "recovering";

/** Returns the store's state without the reason, which may name hosts. */
function storeState(limiter: Pick<Limiter<never>, "status">): { name: string; state: StoreState } {
  const { store, state, failures } = limiter.status();
  if (state === "open") return { name: store, state: "down" };
  if (state === "half-open") return { name: store, state: "recovering" };
  return { name: store, state: failures > 0 ? "failing" : "ok" };
}

/** Returns the caller without a visitor's id, which is the secret in the browser's cookie. */
function toCaller(identity: Identity): Me["caller"] {
  if (identity.kind === "anonymous") return { kind: "anonymous" };
  if (identity.kind === "header") return identity;
  const { kind, id, email, name, emailVerified } = identity;
  return { kind, id, email, name, emailVerified };
}
