/** Larger than the number of requests in one call. */
const mostTogether = 1000;

/**
 * The position of a request among those of the same millisecond, as `Outcome.order`: by the server's microseconds, then by
 * its position in the call. A server applies the requests of a call one after another, and also calls to one partition.
 *
 * @param serverMicros 0 where the server was not asked for its time.
 */
export function orderOf(serverMicros: number, index: number): number | undefined {
  return serverMicros === 0 ? undefined : (serverMicros % 1000) * mostTogether + index;
}
