import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { badRequest, type FieldMistake, HttpProblem } from "./problems.ts";
import type { ServiceEnv } from "./service-env.ts";

/** Refuses a body that says that it is larger; one that does not say is measured while it is read. */
export function limitBody(maxBytes: number): MiddlewareHandler<ServiceEnv> {
  return async (c, next) => {
    if (Number(c.req.header("Content-Length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
    c.set("bodyLimitBytes", maxBytes);
    await next();
  };
}

/**
 * Reads the body, and no more of it than is allowed.
 *
 * @throws {HttpProblem} 413 as soon as it turns out to be larger
 */
export async function readText(c: Context<ServiceEnv>): Promise<string> {
  const { body } = c.req.raw;
  if (!body) return "";
  const maxBytes = c.get("bodyLimitBytes");
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    text += decoder.decode(value, { stream: true });
  }
}

function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem(413, "body_too_large", `The body may hold ${maxBytes} bytes at most.`);
}

/** A body of ten thousand mistakes is answered with the first few. */
const MOST_FIELDS_TOLD = 20;

/**
 * Reads the body as JSON of a certain shape, whatever its `Content-Type` says.
 *
 * @param absent what no body at all stands for; without it, there must be one
 * @throws {HttpProblem} 400 that says which fields are wrong, and how
 */
export async function readBody<Shape extends z.ZodType>(
  c: Context<ServiceEnv>,
  shape: Shape,
  absent = "",
): Promise<z.output<Shape>> {
  const text = (await readText(c)) || absent;
  const result = shape.safeParse(parseJson(text));
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, MOST_FIELDS_TOLD).map(toFieldMistake);
  throw badRequest(`The body is not right: ${fields.map(inWords).join("; ")}.`, fields);
}

function parseJson(text: string): unknown {
  if (text.trim() === "") throw badRequest("The body is empty; it should be JSON.");
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("The body is not JSON.");
  }
}

/** As one writes it in JavaScript: `messages[0].content`. */
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
