import { actionsOf, after } from "./actions.ts";
import { broken } from "./invariants.ts";
import { keyOf } from "./state-key.ts";
import { newWorld, type Setting, type World } from "./world.ts";

export interface Exploration {
  /** How many different states were visited. */
  readonly states: number;
  /** All states within this many steps were visited. */
  readonly steps: number;
  /** Whether there are no further states. */
  readonly isComplete: boolean;
  /** The first broken invariant, with the shortest path to it. */
  readonly broken?: string;
}

interface Step {
  world: World | undefined;
  readonly name: string;
  readonly before: Step | undefined;
}

/** Visits every reachable state, breadth first, until an invariant is broken. */
export function explore(setting: Setting, { mostSteps = Number.POSITIVE_INFINITY } = {}): Exploration {
  const first = newWorld(setting);
  const seen = new Set([keyOf(first)]);
  let frontier: Step[] = [{ world: first, name: "begin", before: undefined }];
  for (let steps = 0; frontier.length > 0; steps += 1) {
    if (steps === mostSteps) return { states: seen.size, steps, isComplete: false };
    const reached: Step[] = [];
    for (const step of frontier) {
      const { world } = step;
      // Once a state's successors are known, only the path to it is needed.
      step.world = undefined;
      if (world === undefined) continue;
      for (const action of actionsOf(world)) {
        const next: Step = { world: after(world, action), name: action.name, before: step };
        const key = keyOf(next.world as World);
        if (seen.has(key)) continue;
        seen.add(key);
        const what = broken(next.world as World);
        if (what !== undefined)
          return { states: seen.size, steps, isComplete: false, broken: describe(what, next) };
        reached.push(next);
      }
    }
    frontier = reached;
  }
  return { states: seen.size, steps: mostSteps, isComplete: true };
}

function describe(what: string, last: Step): string {
  const names: string[] = [];
  for (let step: Step | undefined = last; step !== undefined; step = step.before) names.unshift(step.name);
  return `${what}\n  ${names.join("\n  ")}`;
}
