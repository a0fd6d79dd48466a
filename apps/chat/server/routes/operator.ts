import type { Limiter } from "headgate";
import {
  type CallerDesk,
  type Collector,
  type CreditDesk,
  createConsole,
  operatorToken,
  type PolicyDesk,
  type StoredSummary,
} from "headgate-console";
import { type Context, Hono } from "hono";
import type { Logger } from "pino";
import type { Config } from "../config/index.ts";
import { databaseTrouble } from "../database-trouble.ts";
import { describeError } from "../http/describe-error.ts";
import { databaseProblem } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import { addressOf, type IdentitySources, identify, isHttps } from "../services/identity.ts";

export interface OperatorDependencies {
  sources: IdentitySources;
  publicUrl: string | null;
  /** The console; `null` if there is none. */
  operator: OperatorConsole | null;
}

/** The console's parts, the token and the operators' addresses. */
export interface OperatorConsole extends Pick<Config["operator"], "token" | "emails"> {
  collector: Collector;
  others: (() => Promise<StoredSummary[]>) | undefined;
  limiter: Limiter<{ address: string }>;
  callers: CallerDesk;
  credit: CreditDesk;
  policies: PolicyDesk;
  clock: { now(): number };
  log: Logger;
}

const PATH = "/operator";

/**
 * `GET /operator`: the console, for people with the token or an operator's account. Without both settings, the page
 * does not exist.
 */
export function operatorRoutes({ sources, publicUrl, operator }: OperatorDependencies): Hono<ServiceEnv> {
  const routes = new Hono<ServiceEnv>();
  if (operator === null) return routes;
  const { token, emails, collector, others, limiter, callers, credit, policies, clock, log } = operator;
  const wrongTokens = warnOfWrongTokens(log, clock);
  const byToken =
    token === null
      ? undefined
      : operatorToken<{ address: string }, [Context<ServiceEnv>]>({
          token,
          limiter,
          caller: (_request, c) => ({ address: addressOf(c, sources.trustProxy) }),
          path: PATH,
          secure: (_request, c) => isHttps(c, publicUrl),
          onWrong: wrongTokens,
          clock,
        });

  /** Returns the account's address if it is confirmed, because anybody can sign up with any address. */
  async function accountOf(c: Context<ServiceEnv>): Promise<string | undefined> {
    if (emails.length === 0) return undefined;
    const identity = await identify(c, sources);
    if (identity.kind !== "account" || !identity.emailVerified) return undefined;
    return emails.includes(identity.email.toLowerCase()) ? identity.email : undefined;
  }

  const handle = createConsole<[Context<ServiceEnv>]>({
    collector,
    authorize: async (request, c) => {
      const byCookie = await byToken?.authorize(request);
      if (byCookie) return byCookie;
      const name = await accountOf(c);
      return name === undefined ? null : { name };
    },
    ...(byToken ? { signIn: byToken.signIn } : {}),
    ...(emails.length > 0
      ? { link: { href: "/sign-in?next=/operator", label: "Sign in with your account" } }
      : {}),
    ...(others ? { others } : {}),
    callers,
    credit,
    policies,
    path: PATH,
    ...(publicUrl === null ? {} : { origin: publicUrl }),
    title: "Headgate",
    clock,
    unavailable: (error) => {
      const trouble = databaseTrouble(error);
      return trouble && databaseProblem(trouble).message;
    },
    onError: (error) => log.error({ error: describeError(error) }, "the operator's console failed"),
  });
  for (const path of [PATH, `${PATH}/*`]) routes.all(path, (c) => handle(c.req.raw, c));
  return routes;
}

const WARN_EVERY_MS = 60_000;

/** Logs the number of wrong tokens once a minute, without the typed tokens. */
function warnOfWrongTokens(log: Logger, clock: { now(): number }): () => void {
  let warnedAt = Number.NEGATIVE_INFINITY;
  let attempts = 0;
  return () => {
    attempts += 1;
    const now = clock.now();
    if (now - warnedAt < WARN_EVERY_MS) return;
    log.warn({ attempts }, "a wrong operator token was given");
    warnedAt = now;
    attempts = 0;
  };
}
