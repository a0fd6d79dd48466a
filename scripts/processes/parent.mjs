const CHECK_EVERY_MS = 1_000;

/**
 * Calls back once, when the process that started this one is gone. Waiting for that keeps no process alive.
 *
 * @param {() => void} callBack
 */
export function whenParentIsGone(callBack) {
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    callBack();
  }, CHECK_EVERY_MS);
  check.unref();
}
