import { type Fields, listWith, sharedFields } from "../http/fields/fields.ts";

/** A response whose fields can be asked for, as Node's and Fastify's can. */
export interface FieldReader {
  getHeader(name: string): number | string | readonly string[] | null | undefined;
}

/**
 * Fields for a response that something else, such as CORS middleware, has already written to: what it exposes to
 * scripts stays exposed, and what it varies by stays named.
 */
export function fieldsBeside(response: FieldReader, fields: Fields): Fields {
  let beside = fields;
  for (const name of sharedFields) {
    const value = fields[name];
    if (value === undefined) continue;
    const before = response.getHeader(name);
    if (before === undefined || before === null || before === "") continue;
    if (beside === fields) beside = { ...fields };
    beside[name] = listWith(before, value);
  }
  return beside;
}
