import { type Fields, listWith, sharedFields } from "../http/fields/fields.ts";

/** A response whose header fields can be read, like those of Node and Fastify. */
export interface FieldReader {
  getHeader(name: string): number | string | readonly string[] | null | undefined;
}

/**
 * Returns fields for a response to which other code, such as CORS middleware, has already written. Existing values of
 * `Access-Control-Expose-Headers` and `Vary` are kept.
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
