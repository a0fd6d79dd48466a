import { runSteps } from "./test.mjs";

/** The time limit of all steps together. */
const ALL_LIMIT_MS = 60 * 60_000;

/** `npm run test:soak`: tests that take too long, or need too much, for every `npm test`. Ends with the same line. */
export async function soak() {
  await runSteps(async () => (await import("../testing/soak-steps.mjs")).SOAK_STEPS, ALL_LIMIT_MS);
}
