import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { Admission } from "../core/admission.ts";
import { HeadgateError } from "../core/errors.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import type { GuardOptions } from "../http/guard/admit.ts";
import type { Limiter } from "../limiter/contract.ts";
import { addressSourceOf, type NodeSource } from "./node-address.ts";
import { admissionOfIncoming, guardNode, type NodeFramework } from "./node-guard.ts";
import { hasBegun, sendRefusal } from "./node-response.ts";

/**
 * Returns the client's address of an Express request: `rateLimit(limiter, { caller: clientAddress })`. Forwarding
 * headers count only from proxies in private networks, or from those named by `clientAddress.with({ trust: "cloudflare"
 * })`.
 */
export const clientAddress: ClientAddress<[request: NodeSource]> = createClientAddress({
  adapter: "express",
  read: addressSourceOf,
});

/**
 * Returns the admission of a request that `rateLimit` has admitted or refused; `undefined` if it was skipped.
 * Middleware in front of the guard can call this too, once the guard has decided.
 *
 * @param limiter the limiter whose admission to return, if several guard the request. Default: the limiter of the guard
 *   nearest to the handler.
 */
export function admissionOf<Caller, Unit extends string = string>(
  request: Request,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  return admissionOfIncoming(request, limiter, "Express's request", request);
}

/** The arguments of the functions in the options of `rateLimit`. */
export type ExpressGiven = [request: Request, response: Response];

/** The arguments of `onRefused` after the refusal. */
export type ExpressRefusing = [request: Request, response: Response, next: NextFunction];

/**
 * Guards the routes of an Express application (4 or 5) that it is mounted on. Refused requests get the `429` of
 * `headgate/http`. All other answers, also Express's own errors, have the `RateLimit` fields, with their values
 * when the head is sent. Streams pass unchanged. CORS preflights are not counted.
 *
 * Mount it after `cors()` and after the middleware that identifies the caller, but before the middleware that reads the
 * body.
 *
 * ```ts
 * app.post("/chat/message", rateLimit(limiter, { caller: (request) => ({ ip: request.ip ?? "" }) }), handler);
 * ```
 */
export function rateLimit<Caller, Unit extends string = string, Costs extends GuardCost = GuardCost>(
  limiter: Limiter<Caller, Unit>,
  options: GuardOptions<Caller, ExpressGiven, ExpressRefusing, unknown, Costs> & CountedCost<Costs, Unit>,
): RequestHandler {
  const guard = guardNode(express, limiter, options);
  return (request, response, next) => {
    guard(request, response, next);
  };
}

const express: NodeFramework<Request, Response, NextFunction, void, ExpressGiven, ExpressRefusing> = {
  incoming: (request) => request,
  outgoing: (response) => response,
  given: (request, response) => [request, response],
  pass: (_request, _response, next) => next(),
  refuse: (refused, request, response) => sendRefusal(response, request, refused),
  leave: () => {},
  answering(request, response, next) {
    let isHandedOn = false;
    let isAsked = true;
    const handOn = (error?: unknown) => {
      // If called without an error, or with "route" or "router", Express would continue and serve the refused request.
      if (error === undefined || error === null || error === "route" || error === "router") {
        // Throw only while `onRefused` runs. A later call is ignored: the request has been refused by then.
        if (isAsked) throw servesRefused();
        return;
      }
      isHandedOn = true;
      next(error);
    };
    return {
      given: [request, response, handOn as NextFunction],
      isAnswered(answer) {
        isAsked = false;
        return isHandedOn || hasBegun(response) || answer === response;
      },
    };
  },
};

function servesRefused(): HeadgateError {
  return new HeadgateError(
    "option-invalid",
    "onRefused of rateLimit called next() without an error, which would serve the refused request. Respond, call next(error), or return nothing so that the guard responds.",
  );
}
