/**
 * Loaded into the service ahead of it (`node --import`). It runs in a group of its own and would outlive a starter that was
 * ended by force, holding the port and the database's files; so it ends, in good order, when its starter is gone.
 */
const CHECK_EVERY_MS = 1_000;
const starter = process.ppid;

const check = setInterval(() => {
  if (process.ppid === starter) return;
  clearInterval(check);
  process.kill(process.pid, "SIGTERM");
}, CHECK_EVERY_MS);
check.unref();
