import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission } from "../core/admission.ts";
import { admitRequest, checkMount, type GuardOptions, isPreflight, isSkipped } from "../http/admit.ts";
import { admissionIn, type Decision, isDecided, readingsOf, reportLate } from "../http/decisions.ts";
import { checkFieldOptions, rateLimitFields } from "../http/fields.ts";
import type { Refusal } from "../http/refusal.ts";
import { refuseRequest } from "../http/refusing.ts";
import type { Limiter } from "../limiter.ts";
import { endWithResponse, writeFieldsWithHead } from "./node-response.ts";

/**
 * A framework over Node's server: what its requests and responses are to Node, and how it goes on. Made once for a
 * guard, so that nothing has to be made for each request.
 */
export interface NodeFramework<Request, Response, Next, Result, Given extends readonly unknown[]> {
  incoming(request: Request): IncomingMessage;
  outgoing(response: Response): ServerResponse;
  /** What the user's functions are given. */
  given(request: Request, response: Response): Given;
  /** Lets the request through. */
  pass(request: Request, response: Response, next: Next): Result;
  /** Answers it. */
  refuse(refused: Refusal, request: Request, response: Response): Result;
}

/** What a guard does with a request, in the framework's own types. */
export type Passage<Request, Response, Next, Result> = (
  request: Request,
  response: Response,
  next: Next,
) => Result | Promise<Result>;

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
export function guardNode<Caller, Request, Response, Next, Result, Given extends readonly unknown[]>(
  framework: NodeFramework<Request, Response, Next, Result, Given>,
  limiter: Limiter<Caller>,
  options: GuardOptions<Caller, Given>,
): Passage<Request, Response, Next, Result> {
  checkMount(limiter, options);
  const fieldOptions = checkFieldOptions(options);

  function conclude(
    admission: Admission | undefined,
    isLate: boolean,
    request: Request,
    response: Response,
    next: Next,
  ): Result {
    if (admission === undefined) return framework.pass(request, response, next);
    const incoming = framework.incoming(request) as Guarded;
    const earlier = incoming[decisionsKey];
    // Whoever was first writes for those that come after.
    earlier?.push({ limiter, admission });
    if (!admission.admitted) {
      // What has begun can be nothing but ended: whoever would go on is not reached.
      if (isLate) framework.outgoing(response).end();
      const { accept } = incoming.headers;
      return framework.refuse(
        refuseRequest(limiter, admission, framework.given(request, response), accept, options, fieldOptions),
        request,
        response,
      );
    }
    endWithResponse(admission, framework.outgoing(response));
    if (earlier === undefined) {
      const decisions: Decision[] = [{ limiter, admission }];
      incoming[decisionsKey] = decisions;
      writeFieldsWithHead(framework.outgoing(response), () =>
        rateLimitFields(readingsOf(decisions), fieldOptions),
      );
    }
    return framework.pass(request, response, next);
  }

  return (request, response, next) => {
    const incoming = framework.incoming(request) as Guarded;
    const { method } = incoming;
    if (
      (method === "OPTIONS" && isPreflight(incoming.headers["access-control-request-method"])) ||
      isDecided(limiter, incoming[decisionsKey], method, incoming.url)
    ) {
      return framework.pass(request, response, next);
    }
    const given = framework.given(request, response);
    const skipped = isSkipped(limiter, given, options);
    if (skipped === true) return framework.pass(request, response, next);
    const isLate = framework.outgoing(response).headersSent;
    if (isLate) reportLate(limiter);
    const decision =
      skipped === false
        ? admitRequest(limiter, given, options)
        : skipped.then((isSo) => (isSo ? undefined : admitRequest(limiter, given, options)));
    return decision instanceof Promise
      ? decision.then((admission) => conclude(admission, isLate, request, response, next))
      : conclude(decision, isLate, request, response, next);
  };
}
