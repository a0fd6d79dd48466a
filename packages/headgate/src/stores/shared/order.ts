/** A number above the number of requests in any call. */
const mostTogether = 1000;

/**
 * Returns the position of a request among those of the same millisecond, as `Outcome.order`: by the server's
 * microseconds, then by the request's position in the call. A server applies the requests of a call, and the calls to
 * one partition, one after another.
 *
 * @param serverMicros the server's microseconds; 0 if the server was not asked for its time.
 */
export function orderOf(serverMicros: number, index: number): number | undefined {
  return serverMicros === 0 ? undefined : (serverMicros % 1000) * mostTogether + index;
}
