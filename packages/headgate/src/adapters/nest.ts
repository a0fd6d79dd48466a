import {
  type ArgumentsHost,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  HttpException,
} from "@nestjs/common";
import type { Admission } from "../core/admission.ts";
import { knownAs, markInstance } from "../core/copies.ts";
import { HeadgateError } from "../core/errors.ts";
import { reportTo } from "../core/for-adapters.ts";
import type { CountedCost, GuardCost } from "../core/guard-cost.ts";
import { type ClientAddress, createClientAddress } from "../http/address/client-address.ts";
import type { GuardOptions } from "../http/guard/admit.ts";
import { failAsked } from "../http/guard/decisions.ts";
import type { GuardAnswer } from "../http/guard/refusing.ts";
import type { KnownProblem } from "../http/refusal/known-answer.ts";
import type { RefusalProblem } from "../http/refusal/refusal.ts";
import type { Limiter } from "../limiter/contract.ts";
import { answerProblem, incomingOf, type NestRequest, type NestResponse, rawOf } from "./nest-answer.ts";
import { addressSourceOf } from "./node-address.ts";
import { admissionOfIncoming, guardNode, type NodeFramework } from "./node-guard.ts";
import { hasBegun, watchSend } from "./node-response.ts";

/**
 * The exception that the guard throws for a refused request. Nest's own exception filter responds with the `429` (or
 * `503`) of `headgate/http`, byte for byte; your own filter may respond in another way. `getResponse()` returns the
 * problem, `getStatus()` its status. The fields of the refusal, such as `Retry-After`, are already set on the response.
 */
export class RefusedException extends HttpException {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("RefusedException");
  readonly problem: RefusalProblem | KnownProblem;

  constructor({ status, problem }: Pick<GuardAnswer, "status" | "problem">) {
    super(problem, status);
    this.name = "RefusedException";
    this.message = problem.detail;
    this.problem = problem;
    markInstance(this, "RefusedException");
  }
}

/**
 * Returns the client's address of a Nest context: `rateLimit(limiter, { caller: clientAddress })`. Forwarding headers
 * count only from proxies in private networks, or from those named by `clientAddress.with({ trust: "cloudflare" })`.
 */
export const clientAddress: ClientAddress<[context: ArgumentsHost]> = createClientAddress({
  adapter: "nest",
  read: (context) => addressSourceOf(incomingOf(context.switchToHttp().getRequest<NestRequest>())),
});

/**
 * Returns the admission of a request that `rateLimit` has admitted or refused; `undefined` if it was skipped.
 * Middleware in front of the guard can call this too, once the guard has decided.
 *
 * @param limiter the limiter whose admission to return, if several guard the request. Default: the limiter of the guard
 *   nearest to the handler.
 */
export function admissionOf<Caller, Unit extends string = string>(
  context: ArgumentsHost,
  limiter?: Limiter<Caller, Unit>,
): Admission<Unit> | undefined {
  if (typeof context?.getType !== "function") failAsked("Nest's execution context", context);
  if (context.getType() !== "http") return undefined;
  const request = context.switchToHttp().getRequest<NestRequest>();
  return admissionOfIncoming(incomingOf(request), limiter, "Nest's execution context", context);
}

/**
 * A parameter decorator: the admission of the request; `undefined` if it was skipped. Its argument is the limiter whose
 * admission to return, if several guard the request.
 */
export const CurrentAdmission: <Caller>(limiter?: Limiter<Caller>) => ParameterDecorator =
  createParamDecorator((limiter: Limiter<never> | undefined, context: ExecutionContext) =>
    admissionOf(context, limiter),
  ) as <Caller>(limiter?: Limiter<Caller>) => ParameterDecorator;

/**
 * A Nest guard, for the platforms Express and Fastify: on a method, a controller, or the application
 * (`app.useGlobalGuards`). For a refused request it throws a {@link RefusedException}. All other answers have the
 * `RateLimit` fields, with their values when the head is sent. Streams pass unchanged. CORS preflights are not
 * counted.
 *
 * It guards only HTTP. GraphQL, RPC and web sockets pass uncounted, which is reported to `onError`.
 *
 * ```ts
 * @Post("message")
 * @UseGuards(rateLimit(limiter, { caller: (context) => ({ ip: context.switchToHttp().getRequest<Request>().ip ?? "" }) }))
 * answer(@CurrentAdmission() admission: Admission | undefined) {}
 * ```
 */
export function rateLimit<Caller, Unit extends string = string, Costs extends GuardCost = GuardCost>(
  limiter: Limiter<Caller, Unit>,
  options: GuardOptions<Caller, [context: ExecutionContext], [context: ExecutionContext], unknown, Costs> &
    CountedCost<Costs, Unit>,
): CanActivate {
  const guard = guardNode(nest, limiter, options);
  return {
    canActivate(context) {
      const type = context.getType();
      if (type !== "http") {
        reportTo(limiter, unguarded(type));
        return true;
      }
      return guard(context, context, undefined);
    },
  };
}

const nest: NodeFramework<ExecutionContext, ExecutionContext, undefined, boolean, [ExecutionContext]> = {
  incoming: (context) => incomingOf(context.switchToHttp().getRequest<NestRequest>()),
  outgoing: (context) => rawOf(context.switchToHttp().getResponse<NestResponse>()),
  given: (context) => [context],
  pass: () => true,
  refuse(refused, context) {
    answerProblem(context.switchToHttp().getResponse<NestResponse>(), refused);
    throw new RefusedException(refused);
  },
  // Nest responds to any result of a guard. If the request has been answered or the client has left, never return a
  // result.
  leave: () => new Promise<boolean>(() => {}),
  answering(context) {
    const response = context.switchToHttp().getResponse<NestResponse>();
    const hasSent = "raw" in response ? watchSend(response) : () => false;
    return {
      given: [context],
      isAnswered(answer) {
        const isSent = hasSent();
        if (answer instanceof Error) throw answer;
        return isSent || hasBegun(rawOf(response)) || answer === response;
      },
    };
  },
};

function unguarded(type: string): HeadgateError {
  return new HeadgateError(
    "guard-misplaced",
    `rateLimit of headgate/nest guards only HTTP; a call of the kind "${type}" passed uncounted. Call limiter.admit in your own guard for such calls.`,
  );
}
