export interface TripOptions {
  /** How many may be under way at a time. At this number, requests gather and then travel together. */
  readonly mostUnderWay: number;
  /** How many requests travel together at most. */
  readonly mostTogether: number;
  /** How many requests wait at most; further requests are turned away at once. */
  readonly mostWaiting: number;
}

/** So few travel together although another trip could be under way: each has a price of its own. */
const fewestApart = 8;

/**
 * Lets requests travel together: those of one turn of the event loop, and those that gather while others are under way.
 * Where several trips may be under way, they share what waits, so that all of them are used.
 *
 * @param send is given them in the order in which they were asked, and answers each in the same order. If it rejects,
 *   all that travelled with it are rejected.
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
