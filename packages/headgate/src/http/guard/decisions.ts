import type { Admission, LimitReading } from "../../core/admission.ts";
import { processWide } from "../../core/copies.ts";
import { stateResponseEnd } from "../../core/ending-delegate.ts";
import { HeadgateError } from "../../core/errors.ts";
import { reportTo } from "../../core/for-adapters.ts";
import { show } from "../../core/show.ts";
import type { Limiter } from "../../limiter/contract.ts";
import type { Readings } from "../fields/fields.ts";
import type { Refunds } from "./refunding.ts";

/** A limiter, of which only its identity counts here. */
type AnyLimiter = object & { readonly name?: string };

/** The decision of one guard about a request. */
export interface Decision {
  readonly limiter: AnyLimiter;
  readonly admission: Admission;
  /** Set if the user's `refundWhen` decides by the status of the response. */
  readonly refunds?: Refunds | undefined;
  /** Keeps work running after the response, which Workers would otherwise stop. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/** From this status on a service has failed to answer. */
const firstFailure = 500;
/** These statuses ask for the same request again, like the refusal of a guard further in: 408, 425 and 429. */
const comeAgain: ReadonlySet<number> = new Set([408, 425, 429]);

/** The `waitUntil` of the context that Workers, and others after them, pass to a handler. */
export function waitUntilOf(context: unknown): Decision["waitUntil"] {
  const { waitUntil } = (context ?? {}) as { waitUntil?: unknown };
  return typeof waitUntil === "function" ? (work) => waitUntil.call(context, work) : undefined;
}

function endWithin({ admission, waitUntil }: Decision, used: "nothing" | undefined, done = true): void {
  if (!admission.admitted) return;
  const ending = admission.attempt === undefined ? admission.end(used) : admission.end(used, { done });
  if (ending instanceof Promise) waitUntil?.(ending);
}

/**
 * Refunds charges according to the status of a response. Only for admissions that hold nothing: those end when the
 * response head is sent.
 */
export function refundWithHead(decisions: Decisions, status: number): void {
  for (const decision of decisions) {
    const { admission, refunds } = decision;
    if (refunds !== undefined && admission.admitted && !admission.holds && refunds(status)) {
      endWithin(decision, "nothing");
    }
  }
}

/**
 * Ends an admitted request that holds units or places, or an id.
 *
 * @param status of its response, if it came to one
 * @param isWhole whether the whole response was sent. After a partial response, the next request with the id is
 * answered again.
 */
export function endDecision(decision: Decision, status: number | undefined, isWhole = true): void {
  const { admission, refunds } = decision;
  if (!admission.admitted || !admission.holds) return;
  const hasFailed = status !== undefined && status >= firstFailure;
  stateResponseEnd(admission, status === undefined || !isWhole ? "cut" : hasFailed ? "failed" : "whole");
  const isRefunded = status !== undefined && refunds?.(status) === true;
  const isDone = isWhole && status !== undefined && !hasFailed && !comeAgain.has(status);
  endWithin(decision, isRefunded ? "nothing" : undefined, isDone);
}

/** Refunds a request whose client left during the decision, because nobody is served. */
export function forget(decision: Decision): void {
  endWithin(decision, "nothing");
}

/** Whether an earlier guard has admitted the request. That guard then writes the fields for the later guards. */
export function hasPassed(decisions: Decisions): boolean {
  return decisions.some(({ admission }) => admission.admitted);
}

/** The decisions of all guards of one request, from the outermost to the innermost. */
export type Decisions = readonly Decision[];

/** @throws HeadgateError `option-invalid`, for an `admissionOf` that got something other than a request. */
export function failAsked(takes: string, given: unknown): never {
  throw new HeadgateError("option-invalid", `admissionOf takes ${takes}, got ${show(given)}.`);
}

/**
 * Finds the admission that a handler asks for.
 *
 * @param limiter the limiter whose admission is wanted. Default: the guard nearest to the handler
 */
export function admissionIn<Caller, Unit extends string = string>(
  decisions: Decisions | undefined,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  const decision =
    limiter === undefined ? decisions?.at(-1) : decisions?.find((one) => one.limiter === limiter);
  return decision?.admission as Admission<Unit> | undefined;
}

/** The limits that the fields show for a request that several guards have decided: every limit of every guard. */
export function readingsOf(decisions: Decisions): Readings {
  const [only, second] = decisions;
  if (only !== undefined && second === undefined) return only.admission;
  const limits = decisions.flatMap(({ admission }) => admission.limits);
  let tightest: LimitReading | undefined;
  for (const { admission } of decisions) {
    const candidate = admission.tightest;
    if (candidate !== undefined && (tightest === undefined || isTighter(candidate, tightest))) {
      tightest = candidate;
    }
  }
  return { limits, tightest };
}

function isTighter(one: LimitReading, other: LimitReading): boolean {
  return (
    one.remaining < other.remaining || (one.remaining === other.remaining && one.resetMs > other.resetMs)
  );
}

/** Limiters whose mounting mistakes have been reported. */
const reported = /* @__PURE__ */ processWide("misplaced-guards", () => ({
  twice: new WeakSet<AnyLimiter>(),
  late: new WeakSet<AnyLimiter>(),
  endedEarly: new WeakSet<AnyLimiter>(),
}));
const longestPath = 200;

/**
 * Whether this limiter has already decided the request, because it is mounted twice. The request is then not charged
 * again, and the mistake is reported once for each limiter.
 *
 * @param target the request's path, or its whole URL. The part after a `?` is not reported
 * @param isSame whether two values are the same limiter
 */
export function isDecided(
  limiter: AnyLimiter,
  decisions: Decisions | undefined,
  method: string | undefined,
  target: string | undefined,
  isSame: (one: AnyLimiter, other: AnyLimiter) => boolean = isIdentical,
): boolean {
  if (decisions === undefined || !decisions.some((decision) => isSame(decision.limiter, limiter)))
    return false;
  reportOnce(reported.twice, limiter, () => {
    const path = target?.split("?", 1)[0]?.slice(0, longestPath);
    return `The same limiter guards ${method} ${path} twice, and charges it once. Mount it in one place, or create a limiter for each.`;
  });
  return true;
}

const isIdentical = (one: AnyLimiter, other: AnyLimiter) => one === other;

/** Whether two limiters are copies of one, each in a separate bundle: their names show it. */
export const hasSameName = (one: AnyLimiter, other: AnyLimiter) => one.name === other.name;

/** Reports, once for each limiter, that the head of a response was sent before the guard ran. */
export function reportLate(limiter: AnyLimiter): void {
  reportOnce(
    reported.late,
    limiter,
    () =>
      "A response had begun before rateLimit ran, so neither a refusal nor fields can be sent. Mount rateLimit before the handlers that respond.",
  );
}

/** Reports, once for each limiter, that a request's places were released before its response ended. */
export function reportEndedEarly(limiter: AnyLimiter): void {
  reportOnce(
    reported.endedEarly,
    limiter,
    () =>
      "A guard in Next's proxy released its request's places as soon as proxy returned, because it cannot see the route's response. " +
      "Guard the route instead. On a Node.js server, load the guard in instrumentation.ts.",
  );
}

function reportOnce(known: WeakSet<AnyLimiter>, limiter: AnyLimiter, message: () => string): void {
  if (known.has(limiter)) return;
  known.add(limiter);
  reportTo(limiter, new HeadgateError("guard-misplaced", message()));
}

const guardedBy = /* @__PURE__ */ processWide("guarded-handlers", () => new WeakMap<object, AnyLimiter>());

/**
 * Remembers which limiter guards a handler, and reports a handler that the same limiter guards already. If guards wrap
 * handlers, the mistake is reported when the application starts.
 *
 * @returns the guarded handler
 */
export function markGuarded<Guarded extends object>(
  limiter: AnyLimiter,
  handler: object,
  guarded: Guarded,
): Guarded {
  if (guardedBy.get(handler) === limiter && !reported.twice.has(limiter)) {
    reported.twice.add(limiter);
    reportTo(
      limiter,
      new HeadgateError(
        "guard-misplaced",
        "The same limiter wraps a handler twice, and will charge each request once. Wrap the handler once, or create a limiter for each.",
      ),
    );
  }
  guardedBy.set(guarded, limiter);
  return guarded;
}
