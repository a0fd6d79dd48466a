import { inBackground } from "../../core/background.ts";

/** What it resolves with, or `undefined` after so many milliseconds. */
export function within<Value>(ms: number, answer: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = inBackground(ms, () => resolve(undefined));
    answer.then(resolve, reject).finally(cancel);
  });
}
