import { knownAs, markInstance } from "../../core/copies.ts";
import type { JsonBounds } from "./json-scan.ts";

/** `not-json` includes an empty body; `interrupted`: the client left, or its connection broke. */
export type JsonBodyReason = "out-of-bounds" | "not-json" | "interrupted";

/**
 * A request body that `boundedJson` refuses. Its message is safe to show to the client: it names the bound and never
 * quotes the body. Express, Koa and Fastify read `status`, `statusCode` and `expose` of an error.
 */
export class JsonBodyError extends Error {
  static override readonly [Symbol.hasInstance] = /* @__PURE__ */ knownAs("JsonBodyError");
  override readonly name = "JsonBodyError";
  readonly reason: JsonBodyReason;
  /** The bound that the body exceeds; `undefined` unless `reason` is `out-of-bounds`. */
  readonly bound: keyof JsonBounds | undefined;
  /** The value of that bound. */
  readonly limit: number | undefined;
  /** 413 for too many bytes; else 400. */
  readonly status: 400 | 413;
  readonly statusCode: 400 | 413;
  readonly expose = true;

  constructor(
    reason: JsonBodyReason,
    message: string,
    { bound, limit, cause }: { bound?: keyof JsonBounds; limit?: number; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.bound = bound;
    this.limit = limit;
    this.status = bound === "bytes" ? 413 : 400;
    this.statusCode = this.status;
    markInstance(this, "JsonBodyError");
  }
}

const inWords: Record<keyof JsonBounds, (limit: string) => string> = {
  bytes: (limit) => `The body is larger than ${limit} bytes.`,
  depth: (limit) => `The body nests arrays and objects more than ${limit} deep.`,
  nodes: (limit) => `The body contains more than ${limit} values and property names.`,
  stringLength: (limit) => `The body contains a string longer than ${limit} characters.`,
};

export function outOfBounds(bound: keyof JsonBounds, limit: number): JsonBodyError {
  return new JsonBodyError("out-of-bounds", inWords[bound](limit.toLocaleString("en")), { bound, limit });
}
