import { describe } from "../core/describe.ts";
import { HeadgateError } from "../core/errors.ts";
import { isName, nameGrammar } from "../core/name.ts";
import { checkFunctions, checkOptions, othersOptions } from "../core/options.ts";
import { layerOptions } from "../core/policy.ts";
import { show } from "../core/show.ts";
import { isThenable } from "../core/thenable.ts";
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
  const isPlain = typeof observer === "object" && observer !== null && isPlainObject(observer);
  if (isPlain) checkOptions("observe", observer, observed, "option-invalid");
  if (typeof observer === "object" && observer !== null) {
    checkFunctions("observe", observer, observed);
    if (observed.some((name) => (observer as Record<string, unknown>)[name] !== undefined)) return;
  }
  throw new HeadgateError(
    "option-invalid",
    "observe takes an object with functions decided, known, ended, settled, extended, changed and shadowed, or some of them; " +
      `it got ${describe(observer)}.`,
  );
}

const observed = [
  "decided",
  "known",
  "ended",
  "settled",
  "extended",
  "changed",
  "shadowed",
] satisfies readonly (keyof LimiterObserver)[];

/** Objects of a class may have members of their own. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const decisionOptions = ["cost", "id", "fingerprint", "result"];

/** A cost given outside `cost` would be ignored. Checked for each request, so that nothing is allocated for it. */
export function checkDecision(of: string, decision: object | undefined): void {
  if (decision === undefined) return;
  if (typeof decision !== "object" || decision === null || Array.isArray(decision))
    checkOptions(of, decision, decisionOptions, "option-invalid");
  for (const option in decision) {
    if (option !== "cost") checkOptions(of, decision, decisionOptions, "option-invalid");
  }
}

/** @throws HeadgateError `option-invalid` for a signal that could never end a wait. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (typeof aborted === "boolean" && typeof addEventListener === "function") return;
  throw new HeadgateError(
    "option-invalid",
    `signal must be an AbortSignal, such as AbortSignal.timeout(5000), got ${show(signal)}.`,
  );
}

/** @throws HeadgateError `option-invalid`, or `store-invalid` for an invalid store. */
export function checkLimiterOptions(options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options) || isThenable(options)) {
    throw new HeadgateError(
      "option-invalid",
      `createLimiter takes an object, such as ${rightCall}; it got ${show(options)}.`,
    );
  }
  checkOptions("createLimiter", options, limiterOptions, "option-invalid", {
    moved: othersOptions,
    near: { of: "a layer", options: layerOptions },
  });
  checkFunctions("createLimiter", options, ["onDecision", "onError", "onOutage", "onWarning"]);
  const { name, store, timeouts = {} } = options as LimiterOptions<never>;
  if (!isName(name)) {
    throw new HeadgateError(
      "option-invalid",
      `createLimiter needs a name of ${nameGrammar}, such as ${rightCall}; it got ${show(name)}.`,
    );
  }
  if (typeof timeouts !== "object" || timeouts === null || Array.isArray(timeouts)) {
    throw new HeadgateError(
      "option-invalid",
      `timeouts of createLimiter must be an object such as { storeMs: 250 }, got ${show(timeouts)}.`,
    );
  }
  checkOptions("timeouts", timeouts, ["connectMs", "storeMs", "lookupMs"], "option-invalid");
  if (store === undefined || typeof store === "string") return;
  const has = (method: string) =>
    typeof (store as unknown as Partial<Record<string, unknown>> | null)?.[method] === "function";
  if (typeof store === "object" && ["decide", "adjust", "reset"].every(has)) return;
  throw new HeadgateError(
    "store-invalid",
    "store must be a URI such as redis://localhost:6379, or a store: memoryStore(), redisStore(client), postgresStore(client). " +
      (isThenable(store) ? "It is a promise: await it." : (clientHint(has) ?? `It is ${showStore(store)}.`)),
  );
}

/** If a client was passed instead of a store: the function that makes its store. */
function clientHint(has: (method: string) => boolean): string | undefined {
  if (has("evalsha") || has("evalSha") || has("customCommand") || has("getSlotRandomNode"))
    return "It is a client of Redis. Write redisStore(client), from headgate/redis.";
  if (has("query") || has("unsafe"))
    return "It is a client of PostgreSQL. Write postgresStore(client), from headgate/postgres.";
  if (has("idFromName"))
    return "It is a Durable Object namespace. Write durableObjectStore(namespace), from headgate/durable-object.";
  return undefined;
}

function showStore(store: unknown): string {
  if (typeof store === "function") return `${show(store)}: call it`;
  if (typeof store !== "object" || store === null) return show(store);
  const { name } = store.constructor ?? Object;
  return name === "Object"
    ? "an object without the methods decide, adjust and reset"
    : `an object of class ${name}`;
}
