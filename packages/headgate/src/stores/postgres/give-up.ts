import { inBackground } from "../../core/background.ts";
import { inDoubt } from "../shared/in-doubt.ts";

/**
 * What is asked of a connection, given up after a while: a connection that is lost without a word must not be waited for.
 * Rejects with an error that is `inDoubt`.
 *
 * @param longestMs milliseconds
 */
export function giveUpAfter<Answer>(answer: Promise<Answer>, longestMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const cancel = inBackground(longestMs, () =>
      reject(inDoubt(new Error(`PostgreSQL did not answer within ${longestMs} ms.`))),
    );
    answer.then(resolve, reject).finally(cancel);
  });
}
