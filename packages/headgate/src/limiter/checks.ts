import type { Clock } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import { isName, nameGrammar } from "../core/name.ts";
import { checkOptions, othersOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import type { LimiterObserver, LimiterOptions } from "./contract.ts";

const rightCall = '{ name: "chat", layers: [{ name: "ip", key: (ip: string) => ip, limits: "30/minute" }] }';

const limiterOptions = [
  "name",
  "layers",
  "units",
  "store",
  "timeouts",
  "clock",
  "onDecision",
  "onError",
  "onOutage",
  "onWarning",
];

/** @throws HeadgateError `option-invalid` for an observer without any valid method. */
export function checkObserver(observer: unknown): void {
  const { decided, ended, settled, extended, changed, shadowed }: LimiterObserver =
    typeof observer === "object" && observer !== null ? observer : {};
  const given = [decided, ended, settled, extended, changed, shadowed].filter((one) => one !== undefined);
  if (given.length > 0 && given.every((one) => typeof one === "function")) return;
  throw new HeadgateError(
    "option-invalid",
    "observe takes an object with functions decided, ended, settled, extended, changed and shadowed, or some of them; " +
      `it got ${show(observer)}.`,
  );
}

/**
 * Refuses options other than `cost`: a cost outside `cost` would be ignored. Runs for each request, so it allocates
 * nothing.
 */
export function checkDecision(of: string, decision: object | undefined): void {
  if (decision === undefined) return;
  for (const option in decision) {
    if (option !== "cost") checkOptions(of, decision, ["cost"], "option-invalid");
  }
}

/** @throws HeadgateError `option-invalid` for an invalid clock. */
export function checkClock(clock: Clock): Clock {
  if (typeof clock?.now === "function" && Number.isFinite(clock.now())) return clock;
  throw new HeadgateError(
    "option-invalid",
    "clock must have now(), which returns milliseconds since 1970 as a number, such as { now: Date.now }.",
  );
}

/** @throws HeadgateError `option-invalid`, or `store-invalid` for an invalid store. */
export function checkLimiterOptions(options: unknown): void {
  if (typeof options !== "object" || options === null) {
    throw new HeadgateError(
      "option-invalid",
      `createLimiter takes an object, such as ${rightCall}; it got ${show(options)}.`,
    );
  }
  checkOptions("createLimiter", options, limiterOptions, "option-invalid", othersOptions);
  const { name, store, timeouts = {} } = options as LimiterOptions<never>;
  if (!isName(name)) {
    throw new HeadgateError(
      "option-invalid",
      `createLimiter needs a name of ${nameGrammar}, such as ${rightCall}; it got ${show(name)}.`,
    );
  }
  checkOptions("timeouts", timeouts, ["connectMs", "storeMs", "lookupMs"], "option-invalid");
  if (store === undefined || typeof store === "string") return;
  if (
    typeof store === "object" &&
    store !== null &&
    ["decide", "adjust", "reset"].every((name) => name in store)
  )
    return;
  throw new HeadgateError(
    "store-invalid",
    "store must be a URI such as redis://localhost:6379, or a store: memoryStore(), redisStore(client), postgresStore(pool). " +
      `It is ${showStore(store)}.`,
  );
}

function showStore(store: unknown): string {
  if (typeof store !== "object" || store === null) return show(store);
  const { name } = store.constructor ?? Object;
  return name === "Object" ? "an object without decide, adjust and reset" : `an object of class ${name}`;
}
