/** An error that the user can fix. Its message is shown without a stack. */
export class Failure extends Error {}

/**
 * Runs a command. A `Failure` prints its message and exits with 1. Any other error is a bug in these scripts, and is
 * printed with its stack.
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
