/** Why a database could not be used, in its driver's words. Node reports several refused addresses as an aggregate without a message of its own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
