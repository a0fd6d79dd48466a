import type { Limiter } from "headgate";
import { rateLimit } from "headgate/hono";
import type { TrustProxy } from "headgate/http";
import { type Context, Hono } from "hono";
import { readBody } from "../http/body.ts";
import { jsonInPieces } from "../http/json-in-pieces.ts";
import { noteRefusal } from "../http/note-refusal.ts";
import { HttpProblem } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import { deleteAccountBody, redeemBody } from "../services/account-bodies.ts";
import type { AccountOwnerService, SignedIn } from "../services/account-owner.ts";
import type { Accounts } from "../services/accounts.ts";
import type { TopUps } from "../services/credit-codes.ts";
import { addressOf, type IdentitySources, identify } from "../services/identity.ts";

export interface AccountOwnerDependencies {
  sources: IdentitySources;
  accounts: Accounts;
  accountOwner: AccountOwnerService;
  topUps: TopUps;
  signInLimiter: Limiter<{ address: string }>;
  trustProxy: TrustProxy;
}

/** Routes for an account's owner: sessions, export, credit codes and deletion. */
export function accountOwnerRoutes(dependencies: AccountOwnerDependencies): Hono<ServiceEnv> {
  const { sources, accounts, accountOwner, topUps, signInLimiter, trustProxy } = dependencies;
  const routes = new Hono<ServiceEnv>();
  const guard = rateLimit<{ address: string }, ServiceEnv>(signInLimiter, {
    caller: (c) => ({ address: addressOf(c, trustProxy) }),
  });

  async function signedIn(c: Context<ServiceEnv>): Promise<SignedIn> {
    const identity = await identify(c, sources);
    if (identity.kind === "account") return identity;
    throw new HttpProblem(401, "not_signed_in", "Sign in first.");
  }

  routes.get("/account/sessions", async (c) =>
    c.json({ sessions: await accountOwner.sessions(await signedIn(c)) }),
  );

  routes.delete("/account/sessions", async (c) => {
    await accountOwner.endOtherSessions(await signedIn(c));
    return c.body(null, 204);
  });

  routes.delete("/account/sessions/:id", async (c) => {
    await accountOwner.endSession(await signedIn(c), c.req.param("id"));
    return c.body(null, 204);
  });

  // The export reads everything of an account, so it is limited like password attempts.
  routes.get("/account/export", noteRefusal, guard, async (c) => {
    const account = await signedIn(c);
    return jsonInPieces(c, accountOwner.exported(account), {
      "Content-Disposition": 'attachment; filename="headgate-export.json"',
    });
  });

  // Codes could be guessed, so they are limited like password attempts.
  routes.post("/account/credit/codes", noteRefusal, guard, async (c) => {
    const account = await signedIn(c);
    const { code } = await readBody(c, redeemBody);
    return c.json(await topUps.redeem(account.id, code));
  });

  routes.post("/account/delete", noteRefusal, guard, async (c) => {
    const account = await signedIn(c);
    const { password } = await readBody(c, deleteAccountBody);
    if (!(await accounts.isPassword(c.req.raw.headers, password))) {
      throw new HttpProblem(400, "invalid_password", "This is not the password of your account.");
    }
    await accountOwner.remove(account);
    return c.body(null, 204);
  });

  return routes;
}
