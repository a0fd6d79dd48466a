import { type Service, startService } from "./start.ts";
import { StartError } from "./start-error.ts";

const starting = startService({ env: process.env });
stopOnSignals(starting);
try {
  const service = await starting;
  if (process.stdout.isTTY) console.log(`Headgate is ready: ${service.url}`);
} catch (error) {
  fail(error);
}

/**
 * The first signal waits for the start and for answers in progress; the second does not wait. Signals are handled
 * before the service listens, because a supervisor may stop it as soon as it does.
 */
function stopOnSignals(starting: Promise<Service>): void {
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    starting.then((service) => service.close()).then(() => process.exit(0), fail);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** Prints an error that the operator can correct as sentences, and any other error with its stack. */
function fail(error: unknown): never {
  console.error(error instanceof StartError ? error.message : error);
  process.exit(1);
}
