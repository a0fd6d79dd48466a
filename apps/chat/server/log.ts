import { type Logger, type LoggerOptions, pino } from "pino";

/** Lines that wait for a reader; beyond it, new ones are dropped. */
const MOST_WAITING_BYTES = 8_388_608;
/** So often, a tenth of a second apart, an ending process tries to hand over the lines that are left. */
const MOST_LAST_TRIES = 5;

let isEnding = false;
// Before any destination listens for the same.
process.once("exit", () => {
  isEnding = true;
});

/** JSON lines on standard output. A reader that has stopped reading holds up neither requests nor the process's end. */
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
      // Nobody reads them.
    }
  };
  return pino(options, destination);
}
