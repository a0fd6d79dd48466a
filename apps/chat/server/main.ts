import { startService } from "./start.ts";
import { StartError } from "./start-error.ts";

try {
  const service = await startService({ env: process.env });
  if (process.stdout.isTTY) console.log(`Headgate is ready: ${service.url}`);
  stopOnSignals(service.close);
} catch (error) {
  // A reason that the operator can mend is told in sentences; anything else is a fault, and told with its stack.
  console.error(error instanceof StartError ? error.message : error);
  process.exit(1);
}

/** The first signal lets what is being answered end; the second does not wait. */
function stopOnSignals(close: () => Promise<void>): void {
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    close().then(
      () => process.exit(0),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}
