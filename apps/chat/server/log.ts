import { type Logger, type LoggerOptions, pino } from "pino";

/** The maximum size of waiting lines. Beyond it, new lines are dropped. */
const MOST_WAITING_BYTES = 8_388_608;
/** How often an ending process tries to write the remaining lines, a tenth of a second apart. */
const MOST_LAST_TRIES = 5;

let isEnding = false;
// Registered before any destination listens for the event.
process.once("exit", () => {
  isEnding = true;
});

/** Writes JSON lines to standard output. A blocked reader delays neither requests nor the end of the process. */
export function createLog(options: LoggerOptions): Logger {
  let lastTries = 0;
  const destination = pino.destination({
    sync: false,
    maxLength: MOST_WAITING_BYTES,
    retryEAGAIN() {
      if (isEnding) lastTries += 1;
      return lastTries <= MOST_LAST_TRIES;
    },
  });
  const flushSync = destination.flushSync.bind(destination);
  destination.flushSync = () => {
    try {
      flushSync();
    } catch {
      // Nobody reads the lines.
    }
  };
  return pino(options, destination);
}
