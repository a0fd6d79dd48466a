import { inBackground } from "../../core/background.ts";

/** The value that the promise resolves with, or `undefined` after the given milliseconds. */
export function within<Value>(ms: number, answer: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = inBackground(ms, () => resolve(undefined));
    answer.then(resolve, reject).finally(cancel);
  });
}
