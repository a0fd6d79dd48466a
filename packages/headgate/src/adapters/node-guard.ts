import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission } from "../core/admission.ts";
import { admitRequest, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { admissionIn, type Decision, isDecided, readingsOf, reportLate } from "../http/decisions.ts";
import { checkFieldOptions, rateLimitFields } from "../http/fields.ts";
import type { Refusal } from "../http/refusal.ts";
import { refuseRequest } from "../http/refusing.ts";
import type { Limiter } from "../limiter.ts";
import { writeFieldsWithHead } from "./node-response.ts";

/** One request, as a framework over Node's server sees it. */
export interface Passage<Request, Result> {
  /** In the framework's own type: what the user's functions are asked about. */
  readonly request: Request;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** Lets the request through. */
  pass(): Result;
  /** Answers it. */
  refuse(refused: Refusal): Result;
}

/** Written on the request: a map with weak keys costs the garbage collector as much as the rest of the guard. */
const decisionsKey = Symbol("headgate.decisions");

interface Guarded extends IncomingMessage {
  [decisionsKey]?: Decision[];
}

/** The admission of a request that a guard let pass; `undefined` where it was skipped. */
export function admissionOfIncoming<Caller>(
  incoming: IncomingMessage,
  limiter?: Limiter<Caller>,
): Admission | undefined {
  return admissionIn((incoming as Guarded)[decisionsKey], limiter);
}

/**
 * What the adapters over Node's server have in common: decides, hands on or answers, and has the fields written with
 * the head. No promise is made where neither the store nor the user's functions make one.
 *
 * @throws HeadgateError `option-invalid`
 */
export function guardNode<Caller, Request>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, Request>,
): <Result>(passage: Passage<Request, Result>) => Result | Promise<Result> {
  const fieldOptions = checkFieldOptions(options);
  return (passage) => {
    const { request, response } = passage;
    const incoming = passage.incoming as Guarded;
    const { method, headers } = incoming;
    if (isPreflight(method ?? "", headers["access-control-request-method"])) return passage.pass();
    if (isSkipped(limiter, request, options)) return passage.pass();
    if (isDecided(limiter, incoming[decisionsKey], method, incoming.url)) return passage.pass();
    const isLate = response.headersSent;
    if (isLate) reportLate(limiter);

    const conclude = (admission: Admission | undefined) => {
      if (admission === undefined) return passage.pass();
      const earlier = incoming[decisionsKey];
      // Whoever was first writes for those that come after.
      earlier?.push({ limiter, admission });
      if (!admission.admitted) {
        // What has begun can be nothing but ended: whoever would go on is not reached.
        if (isLate) response.end();
        return passage.refuse(
          refuseRequest(limiter, admission, request, headers.accept, options, fieldOptions),
        );
      }
      if (earlier === undefined) {
        const decisions: Decision[] = [{ limiter, admission }];
        incoming[decisionsKey] = decisions;
        writeFieldsWithHead(response, () => rateLimitFields(readingsOf(decisions), fieldOptions));
      }
      return passage.pass();
    };
    const decision = admitRequest(limiter, request, options);
    return decision instanceof Promise ? decision.then(conclude) : conclude(decision);
  };
}
