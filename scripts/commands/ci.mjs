import { runSteps } from "./test.mjs";

/** The time limit of all steps together. CI ends a run after 90 minutes. */
const ALL_LIMIT_MS = 80 * 60_000;

/**
 * `.ci/run`: runs the steps of `npm test`, `npm run test:soak` and `npm run test:runtimes`, and ends with one line for
 * all.
 */
export async function ci() {
  await runSteps(async () => {
    const [{ STEPS }, { SOAK_STEPS }, { RUNTIMES_STEPS }] = await Promise.all([
      import("../testing/steps.mjs"),
      import("../testing/soak-steps.mjs"),
      import("../testing/runtimes-steps.mjs"),
    ]);
    return [...STEPS, ...SOAK_STEPS, ...RUNTIMES_STEPS];
  }, ALL_LIMIT_MS);
}
