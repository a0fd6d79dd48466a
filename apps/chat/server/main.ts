import type { Service } from "./start.ts";
import { StartError } from "./start-error.ts";

let service: Service | undefined;
// Before the rest is loaded, because a container's first process ignores signals that it does not handle.
stopOnSignals();
try {
  const { startService } = await import("./start.ts");
  service = await startService({ env: process.env });
  if (process.stdout.isTTY) console.log(`Headgate is ready: ${service.url}`);
} catch (error) {
  fail(error);
}

/**
 * The first signal waits for answers in progress; the second does not wait. During the start, which may wait for a database or
 * for another process's migrations, nothing is waited for: what is half done is undone as after a killed process.
 */
function stopOnSignals(): void {
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    if (service === undefined) process.exit(0);
    service.close().then(() => process.exit(0), fail);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** Prints an error that the operator can correct as sentences, and any other error with its stack. */
function fail(error: unknown): never {
  console.error(error instanceof StartError ? error.message : error);
  process.exit(1);
}
