import { HeadgateError } from "../core/errors.ts";
import { type ForAdapters, forAdapters } from "../core/for-adapters.ts";
import { checkOptions } from "../core/options.ts";
import type { LayerOptions } from "../core/policy.ts";
import type { Declared, UnitsOfLayers } from "../core/units.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { createAdmitting } from "./admitting.ts";
import { checkLimiterOptions, checkObserver } from "./checks.ts";
import type { Limiter, LimiterOptions } from "./contract.ts";
import { createCountCalls } from "./count-calls.ts";
import { createOverrideCalls } from "./override-calls.ts";
import { createParts } from "./parts.ts";
import { createPolicyCalls, createShadowCalls } from "./policy-calls.ts";

/**
 * Creates a limiter from a policy and a store.
 *
 * ```ts
 * const chat = createLimiter({
 *   name: "chat",
 *   layers: [
 *     {
 *       name: "user",
 *       key: (caller: Caller) => (caller.user ? `user:${caller.user}` : `ip:${caller.ip}`),
 *       limits: "5/minute; 60/hour",
 *     },
 *     { name: "ip", key: (caller: Caller) => caller.ip, limits: "30/minute" },
 *   ],
 * });
 * const admission = await chat.admit({ user: "42", ip: "203.0.113.7" });
 * ```
 *
 * Costs may name the units that the limits count: `"100000 tokens/day"` allows `cost: { tokens: 900 }`. Units are
 * checked by the compiler if limits are literal texts and no type argument is given, and otherwise at run time.
 *
 * @throws HeadgateError for an invalid name, policy, limit or store URI. The message names the value.
 */
export function createLimiter<
  Caller,
  const Layers extends readonly object[] = readonly LayerOptions<Caller>[],
  const Units extends string = string,
>(
  options: LimiterOptions<Caller> & {
    layers: readonly LayerOptions<Caller>[] & Layers;
    units?: readonly Units[];
  },
): Limiter<Caller, UnitsOfLayers<Layers> | Declared<Units>> {
  return makeLimiter(options);
}

function isAddressUnknown(error: unknown): boolean {
  return error instanceof HeadgateError && error.code === "address-unknown";
}

const defaultReadyMs = 10_000;
const longestReadyMs = 3_600_000;

function makeLimiter<Caller>(options: LimiterOptions<Caller>): Limiter<Caller> {
  checkLimiterOptions(options);
  const parts = createParts(options);
  const { name, opened, live, guard, observing, heartbeat, prefixes, shadowing, state, check } = parts;
  for (const warning of live.policy.warnings) parts.warn(warning);
  if (options.onDecision !== undefined) observing.add({ decided: options.onDecision });
  const { admitUnidentified, ...deciding } = createAdmitting(parts);
  const room: ForAdapters = {
    // If no peer is known, every request would report the same error.
    report: (error) => (isAddressUnknown(error) ? parts.reportMistake : parts.report)(error),
    admitUnidentified,
  };
  const { setPolicy, unregister } = createPolicyCalls(parts, options);

  const limiter: Limiter<Caller> & { readonly [forAdapters]: ForAdapters } = {
    name,
    [forAdapters]: room,
    get policy() {
      return live.policy;
    },
    ...deciding,
    ...createCountCalls(parts),
    ...createOverrideCalls(parts),
    ...createShadowCalls(parts),
    setPolicy,

    async ready(options = {}) {
      checkOptions("ready", options, ["timeoutMs"], "option-invalid");
      const { timeoutMs = defaultReadyMs } = options;
      check(undefined);
      checkWholeNumber("timeoutMs", timeoutMs, 1, longestReadyMs);
      await guard?.ready(timeoutMs, live.questions.forUnidentified(undefined));
    },

    observe(observer) {
      checkObserver(observer);
      return observing.add(observer);
    },

    status: () => ({
      ...(guard?.status() ?? { ...alwaysClosed, store: parts.store.name, since: parts.madeAt }),
      at: observing.storeNow().at,
      reservations: heartbeat.size,
    }),

    close() {
      state.isClosed = true;
      unregister();
      heartbeat.stop();
      prefixes.stop();
      shadowing.shadow?.stop();
      if (guard === undefined) return opened?.close?.();
      return guard.stop().then(() => opened?.close?.());
    },
  };
  return limiter;
}

const alwaysClosed = {
  remote: false,
  state: "closed",
  failures: 0,
  reason: undefined,
  nextProbeAt: 0,
  waiting: 0,
  processes: undefined,
  counters: undefined,
} as const;
