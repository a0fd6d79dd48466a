import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission } from "../core/admission.ts";
import { admitRequest, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { rateLimitFields } from "../http/fields.ts";
import { type Refusal, refusal } from "../http/refusal.ts";
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
const admissionKey = Symbol("headgate.admission");

interface Guarded extends IncomingMessage {
  [admissionKey]?: Admission;
}

/** The admission of a request that a guard let pass; `undefined` where it was skipped. */
export function admissionOfIncoming(incoming: IncomingMessage): Admission | undefined {
  return (incoming as Guarded)[admissionKey];
}

/**
 * What the adapters over Node's server have in common: decides, hands on or answers, and has the fields written with
 * the head. No promise is made where neither the store nor the user's functions make one.
 */
export function guardNode<Caller, Request>(
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, Request>,
): <Result>(passage: Passage<Request, Result>) => Result | Promise<Result> {
  const fieldOptions = { legacy: options.legacy ?? false };
  return (passage) => {
    const { request, incoming, response } = passage;
    const requestedMethod = incoming.headers["access-control-request-method"];
    if (isPreflight(incoming.method ?? "", requestedMethod)) return passage.pass();
    if (isSkipped(limiter, request, options)) return passage.pass();

    const conclude = (admission: Admission | undefined) => {
      if (admission === undefined) return passage.pass();
      if (!admission.admitted) return passage.refuse(refusal(admission, fieldOptions));
      (incoming as Guarded)[admissionKey] = admission;
      writeFieldsWithHead(response, () => rateLimitFields(admission, fieldOptions));
      return passage.pass();
    };
    const decision = admitRequest(limiter, request, options);
    return decision instanceof Promise ? decision.then(conclude) : conclude(decision);
  };
}
