import type { Admission, Refused } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import { HeadgateError } from "../core/errors.ts";
import { checkOptions, othersOptions } from "../core/options.ts";
import type { Limiter } from "../limiter.ts";
import type { FieldOptions } from "./fields.ts";
import type { RefusalBody } from "./refusal.ts";

/** What an adapter asks of its user, about a request in the framework's own type. */
export interface GuardOptions<Caller, Request> extends FieldOptions {
  /** Tells who is calling. It may look things up, and it may fail: then the request is counted as unidentified. */
  caller: (request: Request) => Caller | Promise<Caller>;
  /** What the request costs; one request by default. */
  cost?: (request: Request) => Cost | undefined | Promise<Cost | undefined>;
  /** Requests that are not the guard's business: they are neither counted nor refused. */
  skip?: (request: Request) => boolean | Promise<boolean>;
  /**
   * The body of a refusal, in place of the problem, text or page that the client's `Accept` asks for; `undefined`
   * leaves it at those. Status and fields stay as they are. Where it fails, that is reported and they are sent.
   */
  body?: (refused: Refused, request: Request) => RefusalBody | undefined;
}

const guardOptions = ["caller", "cost", "skip", "body", "legacy", "fields"];

/**
 * Checks what `rateLimit` is given, when it is mounted.
 *
 * @throws HeadgateError `option-invalid`, naming what was given and what would be right.
 */
export function checkMount(limiter: unknown, options: unknown): void {
  if (typeof limiter !== "object" || limiter === null || !("admit" in limiter)) {
    throw new HeadgateError(
      "option-invalid",
      `rateLimit takes a limiter that createLimiter has made, and then { caller }: it got ${describe(limiter)}. ` +
        "Options of other libraries: docs/moving-over.md.",
    );
  }
  if (typeof options !== "object" || options === null) {
    throw new HeadgateError(
      "option-invalid",
      `The options of rateLimit are an object such as { caller: (request) => … }, got ${describe(options)}.`,
    );
  }
  checkOptions("rateLimit", options, guardOptions, "option-invalid", othersOptions);
  for (const option of ["caller", "cost", "skip", "body"] as const) {
    const given = (options as Record<string, unknown>)[option];
    if (typeof given === "function" || (given === undefined && option !== "caller")) continue;
    throw new HeadgateError(
      "option-invalid",
      `${option} of rateLimit must be a function of the request, got ${describe(given)}.`,
    );
  }
}

function describe(given: unknown): string {
  if (typeof given === "function") return `the function "${given.name}"`;
  if (typeof given !== "object" || given === null) return JSON.stringify(given) ?? String(given);
  const names = Object.keys(given);
  return names.length === 0 ? "{}" : `an object with ${names.slice(0, 5).join(", ")}`;
}

/**
 * Decides a request without ever throwing: a fault of the guard's own must not become a fault of the endpoint's.
 * What fails is reported, and the request is counted among the unidentified. `undefined` means that not even that
 * could be decided (the limiter is closed): the request passes, and the report says so.
 */
export function admitRequest<Caller, Request>(
  limiter: Limiter<Caller>,
  request: Request,
  options: GuardOptions<Caller, Request>,
): Admission | undefined | Promise<Admission | undefined> {
  try {
    const caller = options.caller(request);
    const cost = options.cost?.(request);
    if (caller instanceof Promise || cost instanceof Promise) {
      return admitLater(limiter, caller, cost);
    }
    const admission = admit(limiter, caller, cost);
    if (!(admission instanceof Promise)) return admission;
    return admission.catch((error: unknown) => admitUnidentified(limiter, error));
  } catch (error) {
    return admitUnidentified(limiter, error);
  }
}

async function admitLater<Caller>(
  limiter: Limiter<Caller>,
  caller: Caller | Promise<Caller>,
  cost: Cost | undefined | Promise<Cost | undefined>,
): Promise<Admission | undefined> {
  try {
    const [told, known] = await Promise.all([caller, cost]);
    return await admit(limiter, told, known);
  } catch (error) {
    return admitUnidentified(limiter, error);
  }
}

function admit<Caller>(limiter: Limiter<Caller>, caller: Caller, cost: Cost | undefined) {
  return cost === undefined ? limiter.admit(caller) : limiter.admit(caller, { cost });
}

async function admitUnidentified<Caller>(
  limiter: Limiter<Caller>,
  reason: unknown,
): Promise<Admission | undefined> {
  limiter.report(reason);
  try {
    return await limiter.admitUnidentified();
  } catch (error) {
    limiter.report(error);
    return undefined;
  }
}

/** Whether the user's `skip` says so. One that fails skips nothing: a fault must not open the gate. */
export function isSkipped<Caller, Request>(
  limiter: Limiter<Caller>,
  request: Request,
  { skip }: GuardOptions<Caller, Request>,
): boolean | Promise<boolean> {
  if (skip === undefined) return false;
  const failed = (error: unknown) => {
    limiter.report(error);
    return false;
  };
  try {
    const answer: unknown = skip(request);
    // Only `true` skips: what was forgotten to be returned does not open the gate either.
    return answer instanceof Promise ? answer.then((skipped) => skipped === true, failed) : answer === true;
  } catch (error) {
    return failed(error);
  }
}

/**
 * Whether an `OPTIONS` request is a browser's question whether another may be sent at all (CORS): it is not that request.
 *
 * @param requestedMethod its `Access-Control-Request-Method`. To be read of such requests alone: reading costs.
 */
export function isPreflight(requestedMethod: string | null | undefined): boolean {
  return requestedMethod !== null && requestedMethod !== undefined;
}
