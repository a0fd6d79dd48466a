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
 * The first signal lets the start and what is being answered end; the second does not wait.
 * It listens before the service does: a supervisor that reads that the service listens may stop it at once.
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

/** A reason that the operator can correct is printed as sentences; anything else is a fault, printed with its stack. */
function fail(error: unknown): never {
  console.error(error instanceof StartError ? error.message : error);
  process.exit(1);
}
