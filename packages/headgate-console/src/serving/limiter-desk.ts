import type { AppliedOverride, Clock, Limiter, Peek, PrefixOverride } from "headgate";
import { HeadgateError } from "headgate";
import { finite } from "../counting/finite.ts";
import { checkNames } from "../options.ts";
import { type CallerDesk, type Change, OperatorMistake, type Standing } from "./desk.ts";

export interface LimiterDeskOptions<Caller> {
  limiter: Limiter<Caller>;
  /** Returns the caller that the operator's text names; `undefined` for an unknown caller. */
  caller: (of: string) => Caller | undefined | PromiseLike<Caller | undefined>;
  /** Returns the name of a caller that a layer counts. Default: the key itself. */
  nameOf?: CallerDesk["nameOf"];
  /** Whether a text has the form of a caller. Default: as in {@link CallerDesk}. */
  isCaller?: (of: string) => boolean;
  /** The layer to which actions apply. Default: the first layer of the policy. Other layers are not changed. */
  layer?: string;
  /** Explains how to type a caller. Default: "A caller's key". */
  hint?: string;
  /** The source of the time. Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

/** How many changes are kept; the oldest are dropped. */
const MOST_CHANGES = 1_000;

/**
 * Creates a desk that acts only through the limiter. It keeps its log in the memory of this process. For a permanent
 * log, implement your own {@link CallerDesk}.
 */
export function limiterDesk<Caller>(options: LimiterDeskOptions<Caller>): CallerDesk {
  checkNames("limiterDesk", options, {
    limiter: true,
    caller: true,
    nameOf: true,
    isCaller: true,
    layer: true,
    hint: true,
    clock: true,
  });
  const { limiter, caller: callerOf, clock = { now: Date.now } } = options;
  const layer = options.layer ?? limiter.policy.layers[0]?.name ?? "";
  const changes: Change[] = [];

  function record(change: Omit<Change, "at">): void {
    changes.unshift({ at: clock.now(), ...change });
    changes.splice(MOST_CHANGES);
  }

  return {
    hint: options.hint ?? "A caller's key",
    ...(options.isCaller === undefined ? {} : { isCaller: options.isCaller }),
    nameOf: options.nameOf ?? ((itsLayer, key) => (itsLayer === layer ? key : undefined)),

    async show(of) {
      const caller = await callerOf(of);
      return caller === undefined ? undefined : standingOf(await limiter.peek(caller, { layer }));
    },

    async decide(decision, by) {
      const { what, of } = decision;
      const decided = decision.what === "override" ? decision.limits : "blocked";
      const caller = await callerOf(of);
      if (caller === undefined) return undefined;
      const given = decision;
      const { forMs, reason }: { forMs?: number; reason?: string } = given;
      const terms = {
        layer,
        by,
        ...(forMs === undefined ? {} : { forMs }),
        ...(reason === undefined ? {} : { reason }),
      };
      try {
        if (what === "reset") await limiter.reset(caller, { layer });
        else if (what === "end") await limiter.endOverride(caller, { layer });
        else if (what === "block") await limiter.block(caller, terms);
        else await limiter.override(caller, { ...terms, limits: decided });
      } catch (error) {
        if (isOperatorsMistake(error)) throw new OperatorMistake(error.message);
        throw error;
      }
      const until = forMs === undefined ? null : clock.now() + forMs;
      const limits = what === "reset" || what === "end" ? null : decided;
      record({ what, of, limits, until, reason: reason ?? null, by });
      return standingOf(await limiter.peek(caller, { layer }));
    },

    async inForce() {
      const last = new Map<string, Change>();
      for (const change of changes) {
        if (change.what !== "reset" && !last.has(change.of)) last.set(change.of, change);
      }
      const now = clock.now();
      return [...last.values()].filter(
        ({ what, until }) => what !== "end" && (until === null || until > now),
      );
    },

    log: async (most) => changes.slice(0, most),
  };
}

/** Returns the state of a caller, from `peek`. */
export function standingOf(peek: Peek): Standing {
  return {
    plan: peek.plan ?? null,
    blocked: !peek.admitted && peek.reason === "blocked",
    shared: peek.decidedBy !== "outage-policy",
    limits: peek.limits.map(({ name, quota, unit, remaining, resetMs }) => ({
      name,
      quota,
      unit,
      remaining,
      resetMs: finite(resetMs),
    })),
    overrides: (peek.overrides ?? []).map(overrideInForce),
  };
}

/** Converts an override for the page. */
export function overrideInForce({
  layer,
  limits,
  until,
  reason,
  by,
}: AppliedOverride | PrefixOverride): Standing["overrides"][number] {
  return { layer, limits, until: finite(until), reason: reason ?? null, by: by ?? null };
}

/** Whether a limiter's error is one that the operator can correct, such as invalid limits. */
export function isOperatorsMistake(error: unknown): error is HeadgateError {
  return (
    error instanceof HeadgateError &&
    ["option-invalid", "limit-unreadable", "limit-invalid", "policy-invalid"].includes(error.code)
  );
}
