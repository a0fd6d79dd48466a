const pattern = /^[a-z0-9][a-z0-9._-]*$/;

/** The characters that names of limiters and layers may contain, for messages. */
export const nameGrammar = 'lower-case letters, digits, ".", "_" and "-"';

export function isName(name: unknown): name is string {
  return typeof name === "string" && pattern.test(name);
}
