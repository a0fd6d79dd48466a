import { runSteps } from "./test.mjs";

/** For all steps together. */
const ALL_LIMIT_MS = 60 * 60_000;

/** `npm run test:soak`: what takes too long, or needs too much, for every `npm test`. It ends with the same line. */
export async function soak() {
  await runSteps(async () => (await import("../testing/soak-steps.mjs")).SOAK_STEPS, ALL_LIMIT_MS);
}
