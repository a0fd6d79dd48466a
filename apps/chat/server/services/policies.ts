import { createHash } from "node:crypto";
import type { Clock, Limiter } from "headgate";
import {
  livePolicies,
  type ManagedLimiter,
  type PolicyDesk,
  type PolicyKeeper,
  type ReplayPolicy,
} from "headgate-console";
import type { Logger } from "pino";
import type { Config } from "../config/index.ts";
import type { Database } from "../database/connect.ts";
import { describeError } from "../http/describe-error.ts";
import {
  findLastPolicyStep,
  findPolicyStep,
  insertPolicyStep,
  listLastPolicySteps,
  listPolicyChanges,
  listPolicySteps,
  stepOf,
} from "../repositories/policy-steps.ts";
import type { RateLimitCaller } from "./identity.ts";
import { addressKey, chatLayers, userKey } from "./limits.ts";
import type { Plans, PlanTable } from "./plans.ts";

/**
 * Manages policies that operators set while the service runs. The policies are stored in the database, and in force in
 * every process.
 */
export interface Policies {
  desk: PolicyDesk;
  /** Puts the stored policies into force. */
  restore(): Promise<void>;
  /**
   * Restores the policies before the first decision, and records a change of the plans file.
   *
   * @param isAlone whether no other process can change the policies. If not, the database is read every second from now
   *   on
   */
  start(isAlone: boolean): Promise<void>;
  /** Call it when the plans file has changed. Throws for invalid plans, and then changes nothing. */
  usePlans(table: PlanTable): void;
  /** Resolves when no work is in progress. */
  close(): Promise<void>;
}

export interface PoliciesOptions {
  config: Config;
  plans: Plans | undefined;
  database: Database;
  clock: Clock;
  log: Logger;
  chat: Limiter<RateLimitCaller>;
  /** The other limiters, which have no plans. */
  others: readonly ManagedLimiter<never>[];
  replay?: ReplayPolicy | undefined;
  /** How often the database is read, in milliseconds. Default 1,000. */
  everyMs?: number;
}

/** The units that the chat's requests use. */
const CHAT_UNITS = ["requests", "tokens", "concurrent"];
const PLANS_FILE = "PLANS_FILE";

export function createPolicies(options: PoliciesOptions): Policies {
  const { config, plans, database, clock, log, chat, others, replay, everyMs = 1_000 } = options;
  const live = livePolicies({
    limiters: [
      {
        limiter: chat,
        layers: chatLayers(config, plans, plans?.table),
        keys: { user: userKey, ip: addressKey, global: () => "all" },
        ...(plans ? { plan: plans.of, planNames: () => Object.keys(plans.table.plans) } : {}),
        units: CHAT_UNITS,
      } satisfies ManagedLimiter<RateLimitCaller>,
      ...others,
    ],
    keeper: databaseKeeper(database),
    ...(replay ? { replay } : {}),
    onError: (error) =>
      log.error({ error: describeError(error) }, "cannot put an operator's policy into force"),
    clock,
  });

  let timer: NodeJS.Timeout | undefined;
  let noting: Promise<void> = Promise.resolve();
  let looking: Promise<void> | undefined;
  let isAway = false;

  async function look(): Promise<void> {
    try {
      await live.refresh();
      isAway = false;
    } catch (error) {
      // Log this once per outage, because other parts report that the database is down.
      if (!isAway)
        log.warn({ error: describeError(error) }, "policies stay as they are: the database does not answer");
      isAway = true;
    }
  }

  /** Records a change of the plans file. Of several processes, only the first records it. */
  async function note(table: PlanTable): Promise<void> {
    const hash = createHash("sha256").update(JSON.stringify(table)).digest("hex").slice(0, 16);
    const last = await findLastPolicyStep(database, PLANS_FILE);
    if (last?.hash === hash) return;
    await insertPolicyStep(database, {
      limiter: PLANS_FILE,
      revision: (last?.revision ?? 0) + 1,
      what: "plans",
      hash,
      before: last?.hash ?? null,
      reason: `plans ${Object.keys(table.plans).join(", ")}`,
      at: new Date(clock.now()),
    });
  }

  function noteInTurn(table: PlanTable): Promise<void> {
    noting = noting
      .then(() => note(table))
      .catch((error: unknown) =>
        log.error({ error: describeError(error) }, "cannot record the change of the plans file"),
      );
    return noting;
  }

  return {
    desk: {
      ...live,
      log: async (most) =>
        (await listPolicyChanges(database, most)).map(({ at, limiter, what, before, hash, reason, by }) => ({
          at: at.getTime(),
          limiter,
          what,
          before,
          after: hash,
          reason,
          by,
        })),
    },

    restore: live.refresh,

    async start(isAlone) {
      await live.refresh();
      for (const { limiter, hash, set, trouble } of await live.list())
        if (set && trouble === null)
          log.info({ limiter, policy: hash, by: set.by }, "an operator's policy is in force");
      if (plans) await noteInTurn(plans.table);
      if (isAlone) return;
      timer = setInterval(() => {
        looking ??= look().finally(() => {
          looking = undefined;
        });
      }, everyMs);
      timer.unref();
    },

    usePlans(table) {
      if (!live.useSettings("chat", chatLayers(config, plans, table)))
        log.warn("the limits in the plans file are not in force: an operator's policy replaces them");
      void noteInTurn(table);
    },

    async close() {
      clearInterval(timer);
      await looking;
      await noting;
    },
  };
}

function databaseKeeper(database: Database): PolicyKeeper {
  return {
    latest: async () => (await listLastPolicySteps(database)).flatMap((row) => stepOf(row) ?? []),
    async find(limiter, revision) {
      const row = await findPolicyStep(database, limiter, revision);
      return row && stepOf(row);
    },
    list: async (most) => (await listPolicySteps(database, most)).flatMap((row) => stepOf(row) ?? []),
    append: ({ document, at, ...step }) =>
      insertPolicyStep(database, {
        ...step,
        document: document === null ? null : JSON.stringify(document),
        at: new Date(at),
      }),
  };
}
