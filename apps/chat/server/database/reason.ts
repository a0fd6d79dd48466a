/**
 * Returns the driver's message for a database failure. Node reports several refused addresses as an aggregate error
 * without a message.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
