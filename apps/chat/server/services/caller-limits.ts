import { type Clock, HeadgateError, type Limiter } from "headgate";
import { callerAddress, parseTrustProxy } from "headgate/http";
import { isOperatorsMistake, overrideInForce, type Standing, standingOf } from "headgate-console";
import type { Logger } from "pino";
import type { Database } from "../database/connect.ts";
import { describeError } from "../http/describe-error.ts";
import { type LimitOrder, type LimitOutcome, withoutPrefix } from "../operator/limit-order.ts";
import { findUser } from "../repositories/accounts.ts";
import {
  insertLimitChange,
  type LimitChangeRow,
  listLastLimitChanges,
  listLimitChanges,
} from "../repositories/limit-changes.ts";
import type { Accounts } from "./accounts.ts";
import type { RateLimitCaller } from "./identity.ts";
import { addressKey, userKey } from "./limits.ts";

/**
 * Applies operators' actions for single callers. The limiter's store holds them; the database keeps them if the store
 * loses them, and records who did what.
 */
export interface CallerLimits {
  /**
   * @returns `undefined` for an unknown caller
   * @throws {HeadgateError} for invalid limits, times and texts
   */
  carryOut(order: LimitOrder): Promise<LimitOutcome | undefined>;
  /** Restores blocks and overrides that the store has lost. Never throws: failures are logged. */
  restore(log: Logger): Promise<void>;
}

export interface CallerLimitsOptions {
  database: Database;
  clock: Clock;
  limiter: Limiter<RateLimitCaller>;
  accounts: Pick<Accounts, "find">;
}

interface OneCaller {
  caller: RateLimitCaller;
  layer: string;
  userId: string | null;
}

/** All callers of a layer whose keys begin with a prefix. */
type ManyCallers = Parameters<Limiter<RateLimitCaller>["overridePrefix"]>[0];

/** The address of callers whose address does not matter. */
const NOWHERE = "nowhere";
const MOST_CHANGES_TOLD = 50;

export function createCallerLimits({
  database,
  clock,
  limiter,
  accounts,
}: CallerLimitsOptions): CallerLimits {
  /** Returns the caller and the layer that a name refers to. */
  async function targetOf(of: string): Promise<OneCaller | undefined> {
    const known = targetOfName(of);
    if (known) return known;
    const [, accountId] = /^account:(.+)$/.exec(of) ?? [];
    const account = await (accountId === undefined ? accounts.find(of) : findUser(database, accountId));
    if (account === undefined) return undefined;
    const { id, plan } = account;
    const caller = { account: id, address: NOWHERE, ...(plan === null ? {} : { plan }) };
    return { caller, layer: "user", userId: id };
  }

  async function decideForOne(order: Deciding, { caller, layer, userId }: OneCaller): Promise<void> {
    if (order.what === "show") return;
    const terms = { layer, ...termsOf(order) };
    const partition = `${layer} ${layer === "ip" ? addressKey(caller) : userKey(caller)}`;
    await noting(order, partition, userId, async () => {
      // Reset only this layer, because other layers are shared with other callers.
      if (order.what === "reset") await limiter.reset(caller, { layer });
      else if (order.what === "end") await limiter.endOverride(caller, { layer });
      else if (order.what === "block") await limiter.block(caller, terms);
      else await limiter.override(caller, { ...terms, limits: order.limits });
    });
  }

  async function decideForMany(order: Deciding, target: ManyCallers): Promise<void> {
    if (order.what === "show") return;
    if (order.what === "reset") {
      throw new HeadgateError(
        "option-invalid",
        `Only a single caller can be reset; ${order.of} names several.`,
      );
    }
    await noting(order, `${target.layer}${MANY} ${target.prefix}`, null, async () => {
      if (order.what === "end") return limiter.endPrefixOverride(target);
      const limits = order.what === "block" ? "blocked" : order.what === "override" ? order.limits : "";
      return limiter.overridePrefix(target, { ...termsOf(order), limits });
    });
  }

  async function standingOfMany({ layer, prefix }: ManyCallers): Promise<Standing> {
    const all = await limiter.prefixOverrides();
    const overrides = all.filter((one) => one.layer === layer && one.prefix === prefix);
    return {
      plan: null,
      blocked: overrides.some(({ limits }) => limits === "blocked"),
      shared: true,
      limits: [],
      overrides: overrides.map(overrideInForce),
    };
  }

  /** Makes a change, and records it. A change that the store did not confirm may be in force, so it is recorded too. */
  async function noting(
    order: Change,
    partition: string,
    userId: string | null,
    change: () => Promise<void>,
  ): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (!isOperatorsMistake(error))
        await note(
          { ...order, reason: `${order.what}: ${order.reason ?? "no reason"}` },
          partition,
          userId,
          false,
        );
      throw error;
    }
    await note(order, partition, userId, true);
  }

  async function note(
    order: Change,
    partition: string,
    userId: string | null,
    isConfirmed: boolean,
  ): Promise<void> {
    const { forMs, reason, by, limits }: Terms = order;
    const now = clock.now();
    // Record the change after it is in force, because a recorded change comes into force at the next start.
    await insertLimitChange(database, {
      partition,
      of: order.of,
      userId,
      what: isConfirmed ? order.what : "unconfirmed",
      limits: order.what === "block" ? "blocked" : (limits ?? null),
      until: forMs === undefined ? null : new Date(now + forMs),
      reason: reason ?? null,
      by: by ?? null,
      at: new Date(now),
    });
  }

  const isInForce = ({ what, until, userId, partition }: LimitChangeRow) => {
    const isOfDeletedAccount = userId === null && partition.startsWith("user account:");
    return what !== "end" && !isOfDeletedAccount && (until === null || until.getTime() > clock.now());
  };

  /** @returns whether the store had lost the change */
  async function restoreOne(row: LimitChangeRow): Promise<boolean> {
    const { partition, of, userId, limits } = row;
    const [layer = "user"] = partition.split(" ");
    if (layer.endsWith(MANY)) return restoreMany(row);
    const caller = userId === null ? targetOfName(of)?.caller : { account: userId, address: NOWHERE };
    if (caller === undefined || limits === null) return false;
    const { overrides = [] } = await limiter.peek(caller, { layer });
    // Ignore overrides by prefix, which are not the caller's own.
    if (overrides.some(({ prefix }) => prefix === undefined)) return false;
    await limiter.override(caller, { layer, limits, ...keptTermsOf(row) });
    return true;
  }

  async function restoreMany(row: LimitChangeRow): Promise<boolean> {
    const { of, limits } = row;
    const target = manyOf(of);
    if (target === undefined || limits === null) return false;
    if ((await standingOfMany(target)).overrides.length > 0) return false;
    await limiter.overridePrefix(target, { limits, ...keptTermsOf(row) });
    return true;
  }

  return {
    async carryOut(order) {
      if (order.what === "list" || order.what === "log") {
        const rows =
          order.what === "log"
            ? await listLimitChanges(database, order.most ?? MOST_CHANGES_TOLD)
            : (await listLastLimitChanges(database))
                .filter(isInForce)
                .sort((one, other) => other.id - one.id);
        return { changes: rows.map(told) };
      }
      const many = manyOf(order.of);
      if (many !== undefined) {
        await decideForMany(order, many);
        return { stands: await standingOfMany(many) };
      }
      const target = await targetOf(order.of);
      if (target === undefined) return undefined;
      await decideForOne(order, target);
      const { caller, layer } = target;
      return { stands: standingOf(await limiter.peek(caller, { layer })) };
    },

    async restore(log) {
      const failed = (error: unknown) =>
        log.error({ error: describeError(error) }, "cannot restore a block or an override");
      let rows: LimitChangeRow[] = [];
      try {
        rows = (await listLastLimitChanges(database)).filter(isInForce);
      } catch (error) {
        failed(error);
      }
      let restored = 0;
      for (const row of rows) {
        try {
          if (await restoreOne(row)) restored += 1;
        } catch (error) {
          // Continue with the other changes.
          failed(error);
        }
      }
      if (restored > 0) log.info({ restored }, "blocks and overrides are in force again");
    },
  };
}

/** The terms of an order. */
interface Terms {
  forMs?: number | undefined;
  reason?: string | undefined;
  by?: string | undefined;
  limits?: string;
}

type Change = Exclude<Deciding, { what: "show" }>;
type Deciding = Exclude<LimitOrder, { what: "list" | "log" }>;

function termsOf(order: Deciding) {
  const { forMs, reason, by }: Terms = order.what === "show" ? {} : order;
  return {
    ...(forMs === undefined ? {} : { forMs }),
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  };
}

function keptTermsOf({ until, reason, by }: LimitChangeRow) {
  return {
    ...(until === null ? {} : { until }),
    ...(reason === null ? {} : { reason }),
    ...(by === null ? {} : { by }),
  };
}

/** Follows the layer's name in a stored change that is for a prefix. No layer's name contains it. */
const MANY = "*";

/**
 * Returns the prefix of a name such as `ip:203.0.113.*`, `visitor:203.0.113.*` or `user:acme-*`; `undefined` if the
 * name is of one caller.
 */
function manyOf(of: string): ManyCallers | undefined {
  const [, kind, prefix = ""] = /^(user|visitor|ip):(.+)\*$/.exec(of) ?? [];
  if (kind === undefined) return undefined;
  if (kind === "user") return { layer: "user", prefix: userKey({ userId: prefix, address: NOWHERE }) };
  return { layer: kind === "ip" ? "ip" : "user", prefix: addressKey({ address: prefix.toLowerCase() }) };
}

/** Returns the target of a name that is not an account's. */
function targetOfName(of: string): OneCaller | undefined {
  const [, kind, name = ""] = /^(user|visitor|ip):(.+)$/.exec(of) ?? [];
  if (kind === undefined) return undefined;
  if (kind === "user") return { caller: { userId: name, address: NOWHERE }, layer: "user", userId: null };
  const address = callerAddress({ peer: withoutPrefix(name), headers: {} }, parseTrustProxy("none"));
  return { caller: { address }, layer: kind === "ip" ? "ip" : "user", userId: null };
}

function told({ of, what, limits, until, reason, by, at }: LimitChangeRow) {
  return { of, what, limits, until: until?.getTime() ?? null, reason, by, at: at.getTime() };
}
