import { boundedJson, JsonBodyError, type JsonBounds } from "headgate/http";
import type { Context } from "hono";
import type { z } from "zod";
import { bringsBody } from "./bodies.ts";
import { badRequest, clientWentAway, type FieldMistake, HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** Enough for a title, a name or a password. */
const SMALL: JsonBounds = { bytes: 16_384, depth: 4, nodes: 100, stringLength: 8_192 };

/** How many invalid fields a response lists. */
const MOST_FIELDS_REPORTED = 20;

/**
 * Reads a small body as JSON of a given shape, whatever its `Content-Type`.
 *
 * @param absent the value for an absent body; without it, a body is required
 * @param bounds the limits of the text, checked before it is parsed
 * @throws {HttpProblem} 413 or 400 with the exceeded limit or the invalid fields; 499 if the client disconnects before
 * the body's end
 */
export async function readBody<Shape extends z.ZodType>(
  c: Context<ServiceEnv>,
  shape: Shape,
  { absent, bounds = SMALL }: { absent?: unknown; bounds?: JsonBounds } = {},
): Promise<z.output<Shape>> {
  const value = absent !== undefined && !bringsBody(c) ? absent : await readJson(c, bounds);
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, MOST_FIELDS_REPORTED).map(toFieldMistake);
  throw badRequest(`Invalid request body: ${fields.map(inWords).join("; ")}.`, fields);
}

async function readJson(c: Context<ServiceEnv>, bounds: JsonBounds): Promise<unknown> {
  try {
    return await boundedJson(c.req.raw, bounds);
  } catch (error) {
    if (!(error instanceof JsonBodyError)) throw error;
    if (error.reason === "interrupted")
      throw clientWentAway("The client disconnected before the end of the request.");
    if (error.status === 413) throw new HttpProblem(413, "body_too_large", error.message);
    throw badRequest(error.message);
  }
}

/** Formats a path as in JavaScript: `messages[0].content`. */
function toFieldMistake(issue: z.core.$ZodIssue): FieldMistake {
  const path = issue.path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
  return { path, message: issue.message };
}

function inWords({ path, message }: FieldMistake): string {
  return path === "" ? message : `${path}: ${message}`;
}
