import { inBackground } from "../../core/background.ts";
import { inDoubt } from "../shared/in-doubt.ts";

/**
 * Limits the time of a statement: a connection may be lost without an error. After that time, rejects with an error that
 * is `inDoubt`.
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
