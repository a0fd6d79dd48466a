/** Something is wrong with what was given: a file, an option, a policy. The message is for whoever gave it. */
export class InputError extends Error {
  override readonly name = "InputError";
}
