import { checkOptions } from "../../core/options.ts";
import { checkWholeNumber } from "../../core/whole-number.ts";
import { type BodySource, readerOf, statedLength } from "./body-source.ts";
import { JsonBodyError, outOfBounds } from "./json-body-error.ts";
import { type JsonBounds, scanJson } from "./json-scan.ts";

const defaults: Readonly<JsonBounds> = {
  bytes: 1_048_576,
  depth: 32,
  nodes: 50_000,
  stringLength: 262_144,
};

/**
 * Reads a request's JSON body within bounds. Bytes are counted as they arrive, in one pass, before anything is parsed.
 * Reading stops at the first byte that exceeds a bound. Reading costs time too, so put a limiter in front.
 *
 * ```ts
 * const body = await boundedJson(request, { nodes: 10_000 });
 * ```
 *
 * @param source a `Request`, a web stream, Node's `IncomingMessage`, bytes or text; nothing else may have read it
 * @param bounds the bounds that differ from the defaults
 * @returns the result of `JSON.parse`
 * @throws {JsonBodyError} when the body exceeds a bound, is not JSON in UTF-8, or is incomplete
 * @throws {HeadgateError} for a bound that does not exist or is not a whole number from 1 up
 */
export async function boundedJson(source: BodySource, bounds: Partial<JsonBounds> = {}): Promise<unknown> {
  return parse(await readWithin(source, checkBounds(bounds)));
}

async function readWithin(source: BodySource, bounds: JsonBounds): Promise<string> {
  const stated = statedLength(source);
  if (stated !== undefined && stated > bounds.bytes) throw outOfBounds("bytes", bounds.bytes);
  const reader = readerOf(source);
  const scan = scanJson(bounds);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for (;;) {
    const chunk = await reader.next().catch(interrupted);
    if (chunk === undefined) return text + decode(decoder);
    const exceeded = scan.push(chunk);
    if (exceeded !== undefined) {
      reader.stop();
      throw outOfBounds(exceeded, bounds[exceeded]);
    }
    try {
      text += decode(decoder, chunk);
    } catch (error) {
      reader.stop();
      throw error;
    }
  }
}

function interrupted(cause: unknown): never {
  throw new JsonBodyError("interrupted", "The body is incomplete.", { cause });
}

/** Without a chunk: the end of the body. An incomplete character is an error there. */
function decode(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new JsonBodyError("not-json", "The body is not valid UTF-8.", { cause });
  }
}

function parse(text: string): unknown {
  if (text.trim() === "") throw new JsonBodyError("not-json", "The body is empty; it should be JSON.");
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the body, so it is not passed on.
    throw new JsonBodyError("not-json", "The body is not JSON.");
  }
}

function checkBounds(given: Partial<JsonBounds>): JsonBounds {
  checkOptions("boundedJson", given, Object.keys(defaults), "option-invalid");
  const bounds = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    bounds[name as keyof JsonBounds] = checkWholeNumber(
      `${name} of boundedJson`,
      value,
      1,
      Number.MAX_SAFE_INTEGER,
    );
  }
  return bounds;
}
