import type { Admission, Known, Refused } from "../../core/admission.ts";
import { checkNeeded, checkOptions } from "../../core/options.ts";
import type { GuardOptions } from "../../http/guard/admit.ts";
import type { Limiter } from "../../limiter/contract.ts";
import { bodies } from "./bodies.ts";
import type { Conversation } from "./conversation.ts";
import { costs } from "./costs.ts";
import { deciding } from "./deciding.ts";
import { endings } from "./endings.ts";
import { faults } from "./faults.ts";
import { forms } from "./forms.ts";
import { hooks } from "./hooks.ts";
import { ids } from "./ids.ts";
import { methods } from "./methods.ts";
import { mounting } from "./mounting.ts";
import { refusals } from "./refusals.ts";

/** The caller, from the `X-User` and `X-Address` fields of the suite's requests. */
export interface AdapterCaller {
  readonly user: string | null;
  readonly address: string | null;
}

/** Reads a field of a request; `undefined` if it is absent. */
export type ReadField = (name: string) => string | undefined;

/** The response of the handler behind the guard. */
export interface AdapterAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text, or as chunks to send one by one; `null` for no body. */
  readonly body: string | AsyncIterable<string> | null;
}

/** The options of `rateLimit`, independent of any framework. */
export interface AdapterGuardOptions
  extends Omit<GuardOptions<AdapterCaller, [read: ReadField]>, "onRefused" | "onKnown"> {
  onRefused?: (
    refused: Refused,
    read: ReadField,
  ) => AdapterAnswer | undefined | Promise<AdapterAnswer | undefined>;
  onKnown?: (known: Known, read: ReadField) => AdapterAnswer | undefined | Promise<AdapterAnswer | undefined>;
}

export interface AdapterGuard {
  readonly limiter: Limiter<AdapterCaller>;
  /** The guard's options. Convert them for the framework with `optionsFor`. */
  readonly options: AdapterGuardOptions;
}

/** A guarded handler. The framework under test must serve it for every path and method. */
export interface AdapterRoute {
  /** The guards of the route, usually one. They decide in this order. */
  readonly guards: readonly AdapterGuard[];
  /** Response headers that middleware before the guards must set, like CORS middleware. */
  readonly fieldsBefore: Readonly<Record<string, string>>;
  /**
   * The handler.
   *
   * @param admission the result of the adapter's `admissionOf` for the request
   * @param body the body of the request, read to its end
   */
  answer(admission: Admission | undefined, body: string): AdapterAnswer | Promise<AdapterAnswer>;
  /**
   * Middleware before the guards must call this once a response is decided.
   *
   * @param admission the result of the adapter's `admissionOf` in this middleware
   */
  observe(admission: Admission | undefined): void;
}

/** A listening server. */
export interface ServedRoute {
  /** The server's origin, such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Stops listening and closes open connections. */
  close(): void | Promise<void>;
}

export interface AdapterSuiteOptions {
  /** Serves a guarded route with the real framework, on loopback, on a free port. */
  serve: (route: AdapterRoute) => ServedRoute | Promise<ServedRoute>;
}

/** One test of an adapter, for any test runner. */
export interface AdapterTest {
  /** The name of the test, which says what it checks. Names are unique. */
  readonly name: string;
  /** Resolves if the test passes, or rejects with what was expected and what was received. */
  run(): Promise<void>;
}

/**
 * The HTTP tests that every framework's adapter must pass: the same status, the same guard fields and the same body,
 * byte for byte. They need a `fetch` that can reach the server.
 *
 * ```ts
 * for (const { name, run } of adapterSuite({ serve })) test(name, run);
 * ```
 */
export function adapterSuite(options: AdapterSuiteOptions): AdapterTest[] {
  checkOptions("adapterSuite", options, ["serve"], "option-invalid");
  checkNeeded("adapterSuite", options, "serve");
  const { serve } = options;
  const conversations: Conversation[] = [
    ...deciding,
    ...refusals,
    ...forms,
    ...mounting,
    ...costs,
    ...methods,
    ...bodies,
    ...faults,
    ...hooks,
    ...endings,
    ...ids,
  ];
  return conversations.map(({ name, run }) => ({ name, run: () => run(serve) }));
}

/**
 * Converts a route's options for a framework.
 *
 * @param answerBy responds to a refused request from `onRefused`, in the framework's own way
 */
export function optionsFor<
  Given extends readonly unknown[],
  Answer = unknown,
  Refusing extends readonly unknown[] = Given,
>(
  options: AdapterGuardOptions,
  fieldsOf: (...given: Given) => ReadField,
  answerBy: (answer: AdapterAnswer, ...given: Refusing) => Answer | Promise<Answer>,
): GuardOptions<AdapterCaller, Given, Refusing, Answer> {
  const { caller, cost, idempotency, skip, body, onRefused, onKnown, refundWhen, ...rest } = options;
  // The arguments of `onRefused` begin with those of the other functions.
  const fieldsOfRefused = fieldsOf as unknown as (...given: Refusing) => ReadField;
  const answering =
    <Kind>(hook: (refused: Kind, read: ReadField) => ReturnType<NonNullable<typeof onRefused>>) =>
    (refused: Kind, ...given: Refusing) => {
      const answer = hook(refused, fieldsOfRefused(...given));
      if (answer instanceof Promise) {
        return answer.then((known) => (known === undefined ? undefined : answerBy(known, ...given)));
      }
      return answer === undefined ? undefined : answerBy(answer, ...given);
    };
  return {
    ...rest,
    caller: (...given) => caller(fieldsOf(...given)),
    ...(cost === undefined ? {} : { cost: (...given) => cost(fieldsOf(...given)) }),
    ...(skip === undefined ? {} : { skip: (...given) => skip(fieldsOf(...given)) }),
    ...(body === undefined ? {} : { body: (refused, ...given) => body(refused, fieldsOf(...given)) }),
    ...(refundWhen === undefined
      ? {}
      : { refundWhen: (status, ...given) => refundWhen(status, fieldsOf(...given)) }),
    ...(idempotency === undefined ? {} : { idempotency: (...given) => idempotency(fieldsOf(...given)) }),
    ...(onRefused === undefined ? {} : { onRefused: answering(onRefused) }),
    ...(onKnown === undefined ? {} : { onKnown: answering(onKnown) }),
  };
}
