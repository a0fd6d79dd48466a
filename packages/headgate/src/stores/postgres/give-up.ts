import { inDoubt } from "../shared/in-doubt.ts";

/**
 * What is asked of a connection, given up after a while: a connection that is lost without a word must not be waited for.
 * Rejects with an error that is `inDoubt`.
 *
 * @param longestMs milliseconds
 */
export function giveUpAfter<Answer>(answer: Promise<Answer>, longestMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(inDoubt(new Error(`PostgreSQL did not answer within ${longestMs} ms.`))),
      longestMs,
    );
    // A guard must not keep a process alive that is otherwise done.
    if (typeof timer === "object" && "unref" in timer) timer.unref();
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
