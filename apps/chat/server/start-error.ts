/** The service cannot start, for a reason that the operator can mend. The message is a sentence meant for them. */
export class StartError extends Error {
  override readonly name = "StartError";
}
