import type { Admission, Known, Refused } from "../../core/admission.ts";
import { checkOptions } from "../../core/options.ts";
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

/** Who is calling, as the suite's requests say in `X-User` and `X-Address`. */
export interface AdapterCaller {
  readonly user: string | null;
  readonly address: string | null;
}

/** Reads a field of a request; `undefined` where it is absent. */
export type ReadField = (name: string) => string | undefined;

/** What the handler behind the guard answers. */
export interface AdapterAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text to send whole, pieces to send as they come, or `null` for no body. */
  readonly body: string | AsyncIterable<string> | null;
}

/** What `rateLimit` is given, in no framework's terms. */
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
  /** To be put in terms of the framework's request by `optionsFor`. */
  readonly options: AdapterGuardOptions;
}

/** A guarded handler, to be served by the framework under test for every path and method. */
export interface AdapterRoute {
  /** Usually one guard; of several, the first decides first. */
  readonly guards: readonly AdapterGuard[];
  /** The fields that something in front of the guards has set, as CORS middleware does. */
  readonly fieldsBefore: Readonly<Record<string, string>>;
  /**
   * The handler.
   *
   * @param admission the result of the adapter's `admissionOf` for the request
   * @param body the request's, read to its end
   */
  answer(admission: Admission | undefined, body: string): AdapterAnswer | Promise<AdapterAnswer>;
  /**
   * To be called by something in front of the guards, once a response is decided.
   *
   * @param admission the result of the adapter's `admissionOf` there
   */
  observe(admission: Admission | undefined): void;
}

/** A server that listens. */
export interface ServedRoute {
  /** Such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Stops listening, and ends the connections that are open. */
  close(): void | Promise<void>;
}

export interface AdapterSuiteOptions {
  /** Serves a guarded route by the real framework, on loopback, at a port of the system's choosing. */
  serve: (route: AdapterRoute) => ServedRoute | Promise<ServedRoute>;
}

/** One test of an adapter, to be handed to any test runner. */
export interface AdapterTest {
  /** What must hold. No two tests share a name. */
  readonly name: string;
  /** Resolves if it holds, rejects with a sentence that says what was expected and what was got. */
  run(): Promise<void>;
}

/**
 * The conversations over HTTP that must go alike on every framework: the same status, the same fields of the guard's
 * and the same body, to the byte. They need a `fetch` that can reach the server.
 *
 * ```ts
 * for (const { name, run } of adapterSuite({ serve })) test(name, run);
 * ```
 */
export function adapterSuite(options: AdapterSuiteOptions): AdapterTest[] {
  checkOptions("adapterSuite", options, ["serve"], "option-invalid");
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
 * Puts a route's options in terms of what a framework gives.
 *
 * @param answerBy answers a refused request from `onRefused`, as the framework's users would
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
  // What `onRefused` is given begins with what the others are given.
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
