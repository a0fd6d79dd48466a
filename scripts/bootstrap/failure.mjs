/** A reason that the person at the terminal can act on: shown as it is, without a stack. */
export class Failure extends Error {}

/**
 * Runs a command to its end. A `Failure` is told in its own words and ends the process with 1; anything else is a
 * fault of these scripts, and is told with its stack.
 *
 * @param {() => Promise<void>} command
 */
export async function tellFailures(command) {
  try {
    await command();
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error);
    process.exitCode = 1;
  }
}
