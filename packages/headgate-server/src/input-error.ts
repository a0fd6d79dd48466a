/** Something is wrong with a file, an option or a policy. The message is for the person who gave it. */
export class InputError extends Error {
  override readonly name = "InputError";
}
