import { runSteps } from "./test.mjs";

/** For all steps together. */
const ALL_LIMIT_MS = 30 * 60_000;

/** `npm run test:runtimes`: the library in the engines that the docs name. It ends with the same line. */
export async function runtimes() {
  await runSteps(async () => (await import("../testing/runtimes-steps.mjs")).RUNTIMES_STEPS, ALL_LIMIT_MS);
}
