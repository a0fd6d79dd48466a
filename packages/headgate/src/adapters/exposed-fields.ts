import type { Fields } from "../http/fields.ts";

/** The one field of the guard's that others write too. */
export const exposeHeaders = "Access-Control-Expose-Headers";

/**
 * Fields for a response that something else, such as CORS middleware, has already written to: what it exposes to
 * scripts stays exposed.
 *
 * @param before the `Access-Control-Expose-Headers` that the response carries.
 */
export function fieldsBeside(
  before: number | string | readonly string[] | null | undefined,
  fields: Fields,
): Fields {
  const value = fields[exposeHeaders];
  const text = Array.isArray(before) ? before.join(", ") : String(before ?? "");
  return text === "" || value === undefined ? fields : { ...fields, [exposeHeaders]: `${text}, ${value}` };
}
