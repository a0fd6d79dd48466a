export interface TripOptions {
  /** The maximum number of trips under way. At this number, requests wait and are then sent together. */
  readonly mostUnderWay: number;
  /** The maximum number of requests in one trip. */
  readonly mostTogether: number;
  /** The maximum number of waiting requests; further requests are rejected at once. */
  readonly mostWaiting: number;
}

/** Up to this many requests share a trip even if another trip could start: each trip has a cost. */
const fewestApart = 8;

/**
 * Sends requests together: those of one turn of the event loop, and those that wait while others are under way. If
 * several trips are possible, the waiting requests are divided among them.
 *
 * @param send gets the requests in the order in which they were made, and answers in the same order. If it rejects, all
 *   requests of the trip are rejected.
 */
export function trips<Request, Answer>(
  send: (requests: readonly Request[]) => Promise<readonly Answer[]>,
  options: TripOptions,
): (request: Request) => Promise<Answer> {
  const { mostUnderWay, mostTogether, mostWaiting } = options;

  interface Waiting {
    readonly request: Request;
    readonly resolve: (answer: Answer) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let underWay = 0;
  let leaving = false;

  function depart(): void {
    leaving = false;
    while (waiting.length > 0 && underWay < mostUnderWay) {
      const share = Math.ceil(waiting.length / (mostUnderWay - underWay));
      const count = Math.min(mostTogether, Math.max(fewestApart, share));
      const together = waiting.slice(0, count);
      waiting = waiting.slice(count);
      travel(together);
    }
  }

  function travel(together: readonly Waiting[]): void {
    underWay += 1;
    send(together.map(({ request }) => request))
      .then(
        (answers) => {
          together.forEach(({ resolve }, i) => {
            resolve(answers[i] as Answer);
          });
        },
        (error: unknown) => {
          for (const { reject } of together) reject(error);
        },
      )
      .finally(() => {
        underWay -= 1;
        depart();
      });
  }

  return (request) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= mostWaiting) {
        reject(new Error(`${mostWaiting} requests wait for PostgreSQL already.`));
        return;
      }
      waiting.push({ request, resolve, reject });
      if (leaving || underWay >= mostUnderWay) return;
      leaving = true;
      setImmediate(depart);
    });
}
