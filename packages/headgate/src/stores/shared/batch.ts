/**
 * Lets requests that are asked for in the same turn of the event loop travel together.
 *
 * @param send is given them in the order in which they were asked, at most `most` at a time, and answers each in the
 *   same order. If it rejects, all that travelled with it are rejected.
 */
export function batch<Request, Answer>(
  send: (requests: readonly Request[]) => Promise<readonly Answer[]>,
  most: number,
): (request: Request) => Promise<Answer> {
  interface Waiting {
    request: Request;
    resolve: (answer: Answer) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];

  async function travel(together: readonly Waiting[]): Promise<void> {
    try {
      const answers = await send(together.map(({ request }) => request));
      if (answers.length !== together.length) {
        throw new Error(`The store answered ${answers.length} of ${together.length} requests.`);
      }
      together.forEach(({ resolve }, i) => {
        resolve(answers[i] as Answer);
      });
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  function depart(): void {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += most) void travel(all.slice(from, from + most));
  }

  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ request, resolve, reject });
      if (waiting.length === 1) setImmediateOrSoon(depart);
    });
}

/**
 * After what is ready now has run: that is when a turn's requests have all been asked for. Runtimes without
 * `setImmediate` depart after the microtasks at hand.
 */
const setImmediateOrSoon: (run: () => void) => void =
  typeof setImmediate === "function" ? setImmediate : (run) => void Promise.resolve().then(run);
