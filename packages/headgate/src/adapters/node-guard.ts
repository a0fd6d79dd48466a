import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission, Known, Refused } from "../core/admission.ts";
import { isKnown } from "../core/known-request.ts";
import { addRateLimitFields, checkFieldOptions } from "../http/fields/fields.ts";
import {
  checkMount,
  type Decided,
  decideRequest,
  type GuardOptions,
  isPreflight,
} from "../http/guard/admit.ts";
import {
  admissionIn,
  type Decision,
  failAsked,
  forget,
  hasPassed,
  isDecided,
  readingsOf,
  refundWithHead,
  reportLate,
} from "../http/guard/decisions.ts";
import { refundsOf } from "../http/guard/refunding.ts";
import { askHook, type GuardAnswer, hookFor, prepareRefusing, reportAnswer } from "../http/guard/refusing.ts";
import type { Limiter } from "../limiter/contract.ts";
import { endWithResponse, isOver, writeFieldsWithHead } from "./node-response.ts";

/**
 * A framework on top of Node's server: how to get Node's request and response from the framework's, and how to
 * continue. It is made once for a guard, so that no object is made for each request.
 */
export interface NodeFramework<
  Request,
  Response,
  Next,
  Result,
  Given extends readonly unknown[],
  Refusing extends readonly unknown[] = Given,
> {
  incoming(request: Request): IncomingMessage;
  outgoing(response: Response): ServerResponse;
  /** The arguments for the user's functions. */
  given(request: Request, response: Response): Given;
  /** Lets the request through. */
  pass(request: Request, response: Response, next: Next): Result;
  /** Answers the request with the refusal. */
  refuse(refused: GuardAnswer, request: Request, response: Response): Result;
  /** Ends the work on the request: it is already answered, or the client has left. */
  leave(request: Request, response: Response): Result | Promise<Result>;
  /** How `onRefused` and `onKnown` may answer. */
  answering(request: Request, response: Response, next: Next): Answering<Refusing>;
}

/** One refused request, while `onRefused` decides how to answer it. */
export interface Answering<Refusing extends readonly unknown[]> {
  readonly given: Refusing;
  /**
   * Whether the request has been answered, or will be. `answer` is the value that `onRefused` returned; Nest throws it
   * if it is an error.
   */
  isAnswered(answer: unknown): boolean;
}

/** What a guard does with a request, in the framework's own types. */
export type Passage<Request, Response, Next, Result> = (
  request: Request,
  response: Response,
  next: Next,
) => Result | Promise<Result>;

/** Stored on the request: a `WeakMap` would cost the garbage collector as much as the rest of the guard. */
const decisionsKey = Symbol.for("headgate.decisions");

interface Guarded extends IncomingMessage {
  [decisionsKey]?: Decision[];
}

/**
 * Returns the admission of a request that a guard has decided; `undefined` if it was skipped.
 *
 * @param takes the argument that the framework's `admissionOf` takes, and `given` the argument that it got, for the
 *   error.
 * @throws HeadgateError `option-invalid` if there is no request
 */
export function admissionOfIncoming<Caller, Unit extends string = string>(
  incoming: IncomingMessage | undefined,
  limiter: Limiter<Caller, Unit> | undefined,
  takes: string,
  given: unknown,
): Admission<Unit> | undefined {
  if (typeof incoming?.headers !== "object") failAsked(takes, given);
  return admissionIn((incoming as Guarded)[decisionsKey], limiter);
}

/**
 * The common part of the adapters over Node's server: decides, passes the request on or answers it, and writes the
 * fields with the head. It returns a promise only if the store or the user's functions do.
 *
 * @throws HeadgateError `option-invalid`
 */
export function guardNode<
  Caller,
  Request,
  Response,
  Next,
  Result,
  Given extends readonly unknown[],
  Refusing extends readonly unknown[] = Given,
  Unit extends string = string,
>(
  framework: NodeFramework<Request, Response, Next, Result, Given, Refusing>,
  typed: Limiter<Caller, Unit>,
  options: GuardOptions<Caller, Given, Refusing>,
): Passage<Request, Response, Next, Result> {
  const limiter = checkMount(typed, options);
  const fieldOptions = checkFieldOptions(options);
  const { refundWhen } = options;
  const refusalOf = prepareRefusing(limiter, options, fieldOptions);

  function conclude(
    admission: Decided,
    isLate: boolean,
    given: Given,
    request: Request,
    response: Response,
    next: Next,
  ): Result | Promise<Result> {
    if (admission === undefined) return framework.pass(request, response, next);
    if (isLate) reportLate(limiter);
    if (admission === "left") return framework.leave(request, response);
    const outgoing = framework.outgoing(response);
    const incoming = framework.incoming(request) as Guarded;
    if (isKnown(admission)) return turnAway(admission, isLate, given, request, response, next);
    const decisions = incoming[decisionsKey] ?? [];
    incoming[decisionsKey] = decisions;
    // The first guard that admits the request also writes the fields of later guards.
    const isFirst = !hasPassed(decisions);
    const decision = { limiter, admission, refunds: refundsOf(limiter, refundWhen, given) };
    decisions.push(decision);
    if (!admission.admitted) return turnAway(admission, isLate, given, request, response, next);
    if (isOver(outgoing)) {
      forget(decision);
      return framework.leave(request, response);
    }
    endWithResponse(decision, outgoing);
    if (isFirst) {
      writeFieldsWithHead(outgoing, (status) => {
        refundWithHead(decisions, status);
        return addRateLimitFields({}, readingsOf(decisions), fieldOptions);
      });
    }
    return framework.pass(request, response, next);
  }

  function turnAway(
    refused: Refused | Known,
    isLate: boolean,
    given: Given,
    request: Request,
    response: Response,
    next: Next,
  ): Result | Promise<Result> {
    // A response that has begun can only be ended.
    if (isLate) framework.outgoing(response).end();
    const hook = hookFor(options, refused);
    return hook === undefined || isLate
      ? refuse(refused, given, request, response)
      : refuseByUser(hook, refused, given, request, response, next);
  }

  function refuse(refused: Refused | Known, given: Given, request: Request, response: Response): Result {
    const { accept } = framework.incoming(request).headers;
    return framework.refuse(refusalOf(refused, given, accept), request, response);
  }

  function refuseByUser(
    hook: NonNullable<ReturnType<typeof hookFor<Refusing, unknown>>>,
    refused: Refused | Known,
    given: Given,
    request: Request,
    response: Response,
    next: Next,
  ): Result | Promise<Result> {
    const answering = framework.answering(request, response, next);
    const proceed = (answer: unknown) => {
      if (answering.isAnswered(answer)) return framework.leave(request, response);
      reportAnswer(limiter, refused, answer, "the framework's response once it is answered");
      return refuse(refused, given, request, response);
    };
    const answer = askHook(limiter, hook, refused, answering.given);
    return answer instanceof Promise ? answer.then(proceed) : proceed(answer);
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
    const outgoing = framework.outgoing(response);
    const isLate = outgoing.headersSent;
    if (!isLate && outgoing.destroyed) return framework.leave(request, response);
    const given = framework.given(request, response);
    const decision = decideRequest(limiter, given, options, () => isOver(outgoing));
    return decision instanceof Promise
      ? decision.then((admission) => conclude(admission, isLate, given, request, response, next))
      : conclude(decision, isLate, given, request, response, next);
  };
}
