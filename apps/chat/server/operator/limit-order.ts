import { HeadgateError, type Limiter, type Peek } from "headgate";
import { callerAddress, parseTrustProxy } from "headgate/http";
import { z } from "zod";
import type { Accounts } from "../services/accounts.ts";
import type { RateLimitCaller } from "../services/identity.ts";

const timed = {
  /** `you@example.com`, `user:<id>` of a header, `visitor:<address>`, or `ip:<address>`. */
  of: z.string(),
  forMs: z.int().positive().optional(),
  reason: z.string().optional(),
  by: z.string().optional(),
};

export const limitOrder = z.discriminatedUnion("what", [
  z.object({ action: z.literal("limit"), what: z.literal("show"), of: z.string() }),
  z.object({ action: z.literal("limit"), what: z.literal("reset"), of: z.string() }),
  z.object({ action: z.literal("limit"), what: z.literal("end"), of: z.string() }),
  z.object({ action: z.literal("limit"), what: z.literal("block"), ...timed }),
  z.object({ action: z.literal("limit"), what: z.literal("override"), limits: z.string(), ...timed }),
]);

/** What an operator wants done to the limits of one caller. */
export type LimitOrder = z.output<typeof limitOrder>;

export const limitOutcome = z.object({
  stands: z.object({
    plan: z.string().nullable(),
    blocked: z.boolean(),
    /** Whether the store says so; else it did not answer, and this process alone reckons. */
    shared: z.boolean(),
    limits: z.array(
      z.object({
        name: z.string(),
        quota: z.number(),
        unit: z.string(),
        remaining: z.number(),
        /** Until more is left; `null` where it never is. */
        resetMs: z.number().nullable(),
      }),
    ),
    overrides: z.array(
      z.object({
        layer: z.string(),
        limits: z.string(),
        /** `null`: until somebody ends it. */
        until: z.number().nullable(),
        reason: z.string().nullable(),
        by: z.string().nullable(),
      }),
    ),
  }),
});

/** How the caller stands afterwards. */
export type LimitOutcome = z.output<typeof limitOutcome>;

export interface LimitOrderServices {
  limiter: Limiter<RateLimitCaller>;
  accounts: Pick<Accounts, "find">;
}

/** A place on no network, for callers whose address is not the question. */
const NOWHERE = "nowhere";

/**
 * @returns `undefined` for a caller whom nobody knows
 * @throws {HeadgateError} for limits, times and texts that cannot be used
 */
export async function carryOutLimitOrder(
  order: LimitOrder,
  { limiter, accounts }: LimitOrderServices,
): Promise<LimitOutcome | undefined> {
  const target = await targetOf(order.of, accounts);
  if (target === undefined) return undefined;
  const { caller, layer } = target;
  // In one layer: what the caller shares with others is theirs too.
  if (order.what === "reset") await limiter.reset(caller, { layer });
  else if (order.what === "end") await limiter.endOverride(caller, { layer });
  else if (order.what !== "show") {
    const { forMs, reason, by } = order;
    const terms = {
      layer,
      ...(forMs === undefined ? {} : { forMs }),
      ...(reason === undefined ? {} : { reason }),
      ...(by === undefined ? {} : { by }),
    };
    if (order.what === "block") await limiter.block(caller, terms);
    else await limiter.override(caller, { ...terms, limits: order.limits });
  }
  return { stands: standing(await limiter.peek(caller, { layer })) };
}

/** A person by what is their own, an address by those who have nothing else or by everybody behind it. */
async function targetOf(
  of: string,
  accounts: LimitOrderServices["accounts"],
): Promise<{ caller: RateLimitCaller; layer: string } | undefined> {
  const [, kind, name = ""] = /^(user|visitor|ip):(.+)$/.exec(of) ?? [];
  if (kind === "user") return { caller: { userId: name, address: NOWHERE }, layer: "user" };
  if (kind === "visitor" || kind === "ip") {
    const address = callerAddress({ peer: name, headers: {} }, parseTrustProxy("none"));
    return { caller: { address }, layer: kind === "ip" ? "ip" : "user" };
  }
  const account = await accounts.find(of);
  if (account === undefined) return undefined;
  const { id, plan } = account;
  return {
    caller: { account: id, address: NOWHERE, ...(plan === null ? {} : { plan }) },
    layer: "user",
  };
}

function standing(peek: Peek): LimitOutcome["stands"] {
  return {
    plan: peek.plan ?? null,
    blocked: !peek.admitted && peek.reason === "blocked",
    shared: peek.shared,
    limits: peek.limits.map(({ name, quota, unit, remaining, resetMs }) => ({
      name,
      quota,
      unit,
      remaining,
      resetMs: Number.isFinite(resetMs) ? resetMs : null,
    })),
    overrides: (peek.overrides ?? []).map(({ layer: of, limits, until, reason, by }) => ({
      layer: of,
      limits,
      until: Number.isFinite(until) ? until : null,
      reason: reason ?? null,
      by: by ?? null,
    })),
  };
}

/** Whether what went wrong is the operator's to mend. */
export function isOperatorsMistake(error: unknown): error is HeadgateError {
  return (
    error instanceof HeadgateError &&
    ["option-invalid", "limit-unreadable", "limit-invalid"].includes(error.code)
  );
}
