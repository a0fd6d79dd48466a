/** An invalid file, option or policy. The message is for the user. */
export class InputError extends Error {
  override readonly name = "InputError";
}
