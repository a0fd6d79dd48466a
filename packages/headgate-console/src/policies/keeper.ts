import type { PolicyDocument } from "headgate/policy-document";

/** One change of a limiter's policy or shadow. Steps are never changed or deleted. */
export interface PolicyStep {
  /** The name of the limiter. */
  limiter: string;
  /** The number of the step: a limiter's steps are numbered from 1, without a gap. */
  revision: number;
  what: "live" | "roll-back" | "shadow" | "end-shadow";
  /** The policy in force, or the shadow, from this step on. `null`: the policy of the settings, or no shadow. */
  document: PolicyDocument | null;
  /** The document's hash, or the hash of the settings' policy at that time. `null`: no shadow. */
  hash: string | null;
  /** The hash of the policy or shadow that it replaced. */
  before: string | null;
  /** For `live` and `roll-back`: the step to which the next roll back returns. `null`: the policy of the settings. */
  parent: number | null;
  reason: string | null;
  by: string;
  /** Milliseconds since 1970-01-01T00:00Z. */
  at: number;
}

/** Keeps the steps. Several processes need a keeper that all of them can read and write, such as a database. */
export interface PolicyKeeper {
  /** Returns, for each limiter, the last step that changed its policy and the last step that changed its shadow. */
  latest(): Promise<readonly PolicyStep[]>;
  find(limiter: string, revision: number): Promise<PolicyStep | undefined>;
  /** Returns the newest steps, newest first. */
  list(most: number): Promise<readonly PolicyStep[]>;
  /**
   * Adds a step, unless the limiter already has a step with this revision.
   *
   * @returns whether the step was added
   */
  append(step: PolicyStep): Promise<boolean>;
}

const MOST_STEPS = 1_000;

/** Keeps steps in the memory of this process. */
export function memoryKeeper(): PolicyKeeper {
  const steps: PolicyStep[] = [];
  const lastOf = (limiter: string, isOfShadow: boolean) =>
    steps.findLast((step) => step.limiter === limiter && isShadowStep(step) === isOfShadow);
  function latest(): PolicyStep[] {
    const limiters = [...new Set(steps.map(({ limiter }) => limiter))];
    return limiters.flatMap((limiter) =>
      [lastOf(limiter, false), lastOf(limiter, true)].filter((step) => step !== undefined),
    );
  }
  return {
    latest: async () => latest(),
    find: async (limiter, revision) =>
      steps.find((step) => step.limiter === limiter && step.revision === revision),
    list: async (most) => steps.toReversed().slice(0, most),
    async append(step) {
      if (steps.some(({ limiter, revision }) => limiter === step.limiter && revision === step.revision))
        return false;
      steps.push(step);
      // Keep steps that are in force, however old they are.
      if (steps.length > MOST_STEPS) {
        const kept = new Set(latest());
        const oldest = steps.findIndex((one) => !kept.has(one));
        if (oldest >= 0) steps.splice(oldest, 1);
      }
      return true;
    },
  };
}

export function isShadowStep({ what }: Pick<PolicyStep, "what">): boolean {
  return what === "shadow" || what === "end-shadow";
}
