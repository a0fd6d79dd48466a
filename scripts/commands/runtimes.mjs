import { runSteps } from "./test.mjs";

/** The time limit of all steps together. */
const ALL_LIMIT_MS = 30 * 60_000;

/**
 * `npm run test:runtimes`: tests the library in the engines that the docs name. Ends with the same line as `npm test`.
 */
export async function runtimes() {
  await runSteps(async () => (await import("../testing/runtimes-steps.mjs")).RUNTIMES_STEPS, ALL_LIMIT_MS);
}
