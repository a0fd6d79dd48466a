const CHECK_EVERY_MS = 1_000;

/**
 * Calls back once, when the parent process is gone. The wait does not keep this process alive.
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
