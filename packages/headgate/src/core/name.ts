/** Names are part of every stored key and of every response's fields, so they must be short. */
const pattern = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** The characters that names of limiters and layers may contain, for messages. */
export const nameGrammar = 'at most 100 lower-case letters, digits, ".", "_" and "-"';

export function isName(name: unknown): name is string {
  return typeof name === "string" && pattern.test(name);
}
