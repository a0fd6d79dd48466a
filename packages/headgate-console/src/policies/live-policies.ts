import { type Clock, HeadgateError, type LayerOptions } from "headgate";
import type { PolicyDocument } from "headgate/policy-document";
import { checkNames } from "../options.ts";
import { OperatorMistake } from "../serving/desk.ts";
import { type Held, hold, type ManagedLimiter, putPolicy, putShadow, standingOf, tried } from "./held.ts";
import { isShadowStep, memoryKeeper, type PolicyKeeper, type PolicyStep } from "./keeper.ts";
import { checkPolicy } from "./policy-check.ts";
import { PolicyConflict, type PolicyDesk, type PolicyOrder, type ReplayPolicy } from "./policy-desk.ts";
import { checkSeen, stepFor } from "./policy-step.ts";

export interface LivePoliciesOptions {
  limiters: readonly ManagedLimiter<never>[];
  /** Where the steps are kept. Default: in the memory of this process. */
  keeper?: PolicyKeeper;
  /** Replays the decision log. Default: the console says that no log is kept. */
  replay?: ReplayPolicy;
  /** Called if a stored policy cannot be put into force in this process. Default: `console.error`. */
  onError?: (error: unknown) => void;
  /** The source of the time. Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

export interface LivePolicies extends PolicyDesk {
  /**
   * Puts the stored policies into force. Call it before the first decision, and every second if several processes share
   * a keeper. A policy that cannot be put into force is reported and changes nothing.
   *
   * @throws the keeper's error
   */
  refresh(): Promise<void>;
  /**
   * Replaces the policy of the settings. It is in force unless an operator has set a policy.
   *
   * @returns whether the settings are in force
   * @throws HeadgateError for an invalid policy; then nothing changes
   */
  useSettings<Caller>(limiter: string, layers: readonly LayerOptions<Caller>[]): boolean;
}

const TRIES = 3;

/**
 * Lets operators change policies while the service runs. Each change is a step that the keeper stores, and that every
 * process puts into force. A policy set by an operator takes precedence over the settings.
 *
 * @throws HeadgateError `option-invalid`
 */
export function livePolicies(options: LivePoliciesOptions): LivePolicies {
  checkNames("livePolicies", options, {
    limiters: true,
    keeper: true,
    replay: true,
    onError: true,
    clock: true,
  });
  const { keeper = memoryKeeper(), replay, clock = { now: Date.now } } = options;
  const { onError = (error: unknown) => console.error("headgate-console:", error) } = options;
  const held = new Map<string, Held>();
  for (const managed of options.limiters) {
    checkNames("A limiter of livePolicies", managed, {
      limiter: true,
      layers: true,
      keys: true,
      plan: true,
      planNames: true,
      units: true,
      canChange: true,
    });
    const { name } = managed.limiter;
    if (held.has(name))
      throw new HeadgateError(
        "option-invalid",
        `livePolicies has two limiters named "${name}": pass each limiter once.`,
      );
    held.set(name, hold(managed));
  }

  function heldOf(name: string): Held {
    const found = held.get(name);
    if (found !== undefined) return found;
    throw new OperatorMistake(
      `There is no limiter ${JSON.stringify(name)}, only ${[...held.keys()].join(", ")}.`,
    );
  }

  async function refresh(): Promise<void> {
    for (const step of await keeper.latest()) {
      const one = held.get(step.limiter);
      if (one === undefined) continue;
      if (isShadowStep(step)) putShadow(one, step, onError);
      else putPolicy(one, step, onError);
    }
  }

  const check = (limiter: string, document: PolicyDocument) => checkPolicy(heldOf(limiter), document);

  async function add(order: PolicyOrder, by: string): Promise<PolicyStep> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      await refresh();
      const one = heldOf(order.limiter);
      if (one.managed.canChange === false)
        throw new OperatorMistake(`The policy of ${order.limiter} cannot be changed here.`);
      checkSeen(one, order);
      // Read the number before any await. If another change takes it, this change is tried again.
      const revision = Math.max(one.policy?.revision ?? 0, one.shadow?.revision ?? 0) + 1;
      const step: PolicyStep = {
        ...(await stepFor(one, order, keeper)),
        limiter: order.limiter,
        revision,
        what: order.what,
        reason: order.reason ?? null,
        by,
        at: clock.now(),
      };
      if (await keeper.append(step)) return step;
    }
    throw new PolicyConflict(
      "Another operator is changing this policy. Nothing was changed: look at the policy again.",
    );
  }

  async function change(order: PolicyOrder, by: string): Promise<string> {
    const needsReason = order.what === "live" || order.what === "roll-back";
    if (needsReason && order.reason === undefined)
      throw new OperatorMistake("Give a reason: it is kept in the log.");
    const report = heldOf(order.limiter).managed.limiter.shadowReport();
    const step = await add(order, by);
    await refresh();
    const { limiter, what, hash } = step;
    if (what === "shadow") return `${hash} is the shadow of ${limiter}: it refuses nobody.`;
    if (what === "end-shadow")
      return `The shadow of ${limiter} has ended${report ? `: in this process it would have refused ${report.wouldRefuse} of ${report.decisions}` : ""}.`;
    if (what === "roll-back") return `${limiter} was rolled back to ${hash}.`;
    // The shadow would be compared with itself.
    if (held.get(limiter)?.shadow?.hash === hash)
      await change(
        { limiter, what: "end-shadow", from: hash ?? "", fromShadow: hash, reason: "it is in force" },
        by,
      ).catch((error: unknown) => {
        // Another operator changed the shadow first. The policy is live all the same.
        if (!(error instanceof PolicyConflict || error instanceof OperatorMistake)) throw error;
      });
    return `${hash} is in force for ${limiter}.`;
  }

  return {
    refresh,
    check,
    change,
    ...(replay === undefined
      ? {}
      : {
          replay: (limiter, document, lastMs) => {
            check(limiter, document);
            return replay(limiter, document, lastMs);
          },
        }),

    async list() {
      await refresh();
      return Promise.all([...held.values()].map((one) => standingOf(one, keeper)));
    },

    log: async (most) =>
      (await keeper.list(most)).map(({ at, limiter, what, before, hash, reason, by }) => ({
        at,
        limiter,
        what,
        before,
        after: hash,
        reason,
        by,
      })),

    useSettings(name, layers) {
      const one = heldOf(name);
      const isSet = one.document !== undefined;
      if (isSet) tried(layers, one);
      else one.managed.limiter.setPolicy(layers);
      one.layers = layers;
      return !isSet;
    },
  };
}
