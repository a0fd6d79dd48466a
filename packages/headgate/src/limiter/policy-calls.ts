import { createShadow, type Shadow } from "../shadow/shadow.ts";
import type { Limiter, LimiterOptions } from "./contract.ts";
import { registerLimiter } from "./live-limiters.ts";
import type { LayerChange } from "./live-policy.ts";
import type { LimiterParts } from "./parts.ts";

/** The calls that change the policy in force. */
export function createPolicyCalls<Caller>(parts: LimiterParts<Caller>, { store }: LimiterOptions<Caller>) {
  const { name, opened, live, observing, waitingRoom, warn, check } = parts;
  // A store that the limiter opened is shared only if it is remote.
  const shared = opened === undefined || opened.remote ? store : undefined;
  const register = () => registerLimiter({ name, layers: live.policy.layers }, shared, warn);
  let forget = register();

  return {
    setPolicy(layers: readonly LayerChange<Caller>[]): void {
      check(undefined);
      live.replace(layers);
      waitingRoom.changed();
      observing.policyChanged();
      for (const warning of live.policy.warnings) warn(warning);
      forget();
      forget = register();
    },

    unregister: () => forget(),
  };
}

/** The calls that try another policy next to the one in force. */
export function createShadowCalls<Caller>(
  parts: LimiterParts<Caller>,
): Pick<Limiter<Caller>, "setShadow" | "endShadow" | "shadowReport"> {
  const { name, store, clock, storeMs, live, guard, observing, reportMistake, shadowing, warn, check } =
    parts;

  function make(layers: readonly LayerChange<Caller>[]): Shadow<Caller> {
    return createShadow(
      {
        limiter: name,
        live,
        store,
        clock,
        timeoutMs: storeMs,
        definePolicy: (of, given) => parts.definePolicy(of, given, () => {}),
        isAnswering: () => guard?.status().state === "closed",
        report: reportMistake,
        isObserved: () => observing.isShadowObserved,
        notify: observing.shadowed,
      },
      layers,
    );
  }

  return {
    setShadow(layers) {
      check(undefined);
      if (shadowing.shadow === undefined) shadowing.shadow = make(layers);
      else shadowing.shadow.set(layers);
      for (const warning of shadowing.shadow.policy.warnings) warn(`The shadow: ${warning}`);
    },

    endShadow() {
      const last = shadowing.shadow?.report();
      shadowing.shadow?.stop();
      shadowing.shadow = undefined;
      return last;
    },

    shadowReport: () => shadowing.shadow?.report(),
  };
}
