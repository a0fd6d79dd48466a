import { APICallError, RetryError, StreamProviderError } from "ai";
import { ProviderRefusedError } from "headgate/ai";

/** The model sent nothing, or nothing more, within its time limit. */
export class ModelTimeoutError extends Error {
  override name = "ModelTimeoutError";
}

/** The model ended its answer without any text. */
export class EmptyAnswerError extends Error {
  override name = "EmptyAnswerError";
}

export interface ModelFailure {
  status: 502 | 503 | 504;
  /** A sentence for the person, without a provider's message, an address or a key. */
  detail: string;
  /** Short and stable, for programs and logs. */
  code:
    | "model_rate_limited"
    | "model_out_of_quota"
    | "model_key_refused"
    | "model_not_found"
    | "model_unreachable"
    | "model_overloaded"
    | "model_timed_out"
    | "conversation_too_long"
    | "model_failed";
  /** The wait in whole seconds, if the provider states one. */
  retryAfterSeconds?: number;
}

const failures: Record<ModelFailure["code"], Pick<ModelFailure, "status" | "detail">> = {
  model_rate_limited: {
    status: 503,
    detail: "The model is busy: its provider asks us to slow down. Please try again in a moment.",
  },
  model_out_of_quota: {
    status: 502,
    detail: "The service has used up its quota with the model's provider. Please tell its operator.",
  },
  model_key_refused: {
    status: 502,
    detail: "The model's provider refused the service's key. Please tell its operator.",
  },
  model_not_found: {
    status: 502,
    detail: "The model that the service is set up for does not exist. Please tell its operator.",
  },
  model_unreachable: {
    status: 502,
    detail: "The connection to the model failed. Please try again in a moment.",
  },
  model_overloaded: {
    status: 503,
    detail: "The model's provider is having trouble. Please try again in a moment.",
  },
  model_timed_out: { status: 504, detail: "The model took too long to answer. Please try again." },
  conversation_too_long: {
    status: 502,
    detail: "This conversation is too long for the model. Please start a new one.",
  },
  model_failed: { status: 502, detail: "The model failed to answer. Please try again." },
};

/** Describes an error for the log: its name and HTTP status, but no body, address or key. */
export function describeFailure(error: unknown): { name: string; statusCode: number | undefined } {
  const cause = rootOf(error);
  return { name: cause instanceof Error ? cause.name : typeof cause, statusCode: statusOf(cause) };
}

/** Returns the error of the last attempt: a `RetryError` wraps it. */
function rootOf(error: unknown): unknown {
  return RetryError.isInstance(error) ? rootOf(error.lastError) : error;
}

function statusOf(error: unknown): number | undefined {
  if (APICallError.isInstance(error) || StreamProviderError.isInstance(error)) return error.statusCode;
  return undefined;
}

/** Returns a provider's code and message, only to recognise the failure. */
function wordsOf(error: unknown): string {
  if (APICallError.isInstance(error)) return `${error.message} ${error.responseBody ?? ""}`;
  if (StreamProviderError.isInstance(error))
    return `${error.type ?? ""} ${error.code ?? ""} ${error.message}`;
  return error instanceof Error ? error.message : "";
}

const connectionCodes =
  /ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|UND_ERR\w*|fetch failed|terminated|socket|other side closed|Cannot connect/i;

function causedByConnection(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 4) return false;
  const code = "code" in error ? String(error.code) : "";
  return connectionCodes.test(`${code} ${error.message}`) || causedByConnection(error.cause, depth + 1);
}

function codeOf(error: unknown): ModelFailure["code"] {
  if (error instanceof ProviderRefusedError)
    return error.reason === "money" ? "model_out_of_quota" : "model_rate_limited";
  if (error instanceof ModelTimeoutError) return "model_timed_out";
  if (error instanceof Error && error.name === "TimeoutError") return "model_timed_out";
  const status = statusOf(error);
  const words = wordsOf(error);
  if (
    /context[_ ]length|context window|maximum context|prompt is too long|too many tokens|input length/i.test(
      words,
    )
  ) {
    return "conversation_too_long";
  }
  if (/insufficient_quota|billing|credit balance/i.test(words)) return "model_out_of_quota";
  if (status === 401 || status === 403) return "model_key_refused";
  if (status === 404) return "model_not_found";
  if (status === 413) return "conversation_too_long";
  if (status === 429 || /rate_limit/i.test(words)) return "model_rate_limited";
  if (status === 408 || status === 504) return "model_timed_out";
  if ((status !== undefined && status >= 500) || /overloaded/i.test(words)) return "model_overloaded";
  // A connection that breaks during an answer still has the answer's status 200.
  if ((status === undefined || status === 200) && causedByConnection(error)) return "model_unreachable";
  return "model_failed";
}

/** Turns a model's error into a status, a sentence and a code that are safe to send. */
export function modelFailure(error: unknown): ModelFailure {
  const cause = rootOf(error);
  const code = codeOf(cause);
  if (!(cause instanceof ProviderRefusedError) || cause.retryAfterSeconds === undefined)
    return { ...failures[code], code };
  const { retryAfterSeconds } = cause;
  const wait = retryAfterSeconds === 1 ? "1 second" : `${retryAfterSeconds} seconds`;
  const detail = `The model is busy: its provider asks us to slow down. Please try again in ${wait}.`;
  return { ...failures[code], code, detail, retryAfterSeconds };
}
