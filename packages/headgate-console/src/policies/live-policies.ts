import { type Clock, createLimiter, HeadgateError, type LayerOptions, type Limiter } from "headgate";
import {
  layersOf,
  type PolicyDocument,
  readPolicyDocument,
  writePolicyDocument,
} from "headgate/policy-document";
import { checkNames } from "../options.ts";
import { OperatorMistake } from "../serving/desk.ts";
import { isOperatorsMistake } from "../serving/limiter-desk.ts";
import { isShadowStep, memoryKeeper, type PolicyKeeper, type PolicyStep } from "./keeper.ts";
import {
  type PolicyCheck,
  PolicyConflict,
  type PolicyDesk,
  type PolicyOrder,
  type PolicyStanding,
  type ReplayPolicy,
} from "./policy-desk.ts";

/** A limiter whose policy operators can see and change. */
export interface ManagedLimiter<Caller> {
  limiter: Pick<
    Limiter<Caller>,
    "name" | "policy" | "setPolicy" | "setShadow" | "endShadow" | "shadowReport"
  >;
  /**
   * The policy of the settings: the layers passed to `createLimiter`. Default: the policy in force, if no layer has
   * plans or looks up limits.
   */
  layers?: readonly LayerOptions<Caller>[];
  /** Key functions that a policy document may name. Default: those of `layers`, by layer. */
  keys?: Readonly<Record<string, (caller: Caller) => string | number | null>>;
  /** Returns the plan of a caller, for layers with plans. Default: the function in `layers`, by layer. */
  plan?: (caller: Caller) => string | undefined | PromiseLike<string | undefined>;
  /** The plans that callers can have. The console warns if a policy lacks one of them. */
  planNames?: () => readonly string[];
  /**
   * The units that requests use: a limit on another unit would never refuse. Default: the units of the limiter's
   * policy.
   */
  units?: readonly string[];
  /** Whether operators may change it. Default: true. */
  canChange?: boolean;
}

export interface LivePoliciesOptions {
  limiters: readonly ManagedLimiter<never>[];
  /** Where the steps are kept. Default: in the memory of this process. */
  keeper?: PolicyKeeper;
  /** Replays the decision log. Default: the console says that no log is kept. */
  replay?: ReplayPolicy;
  /** Called if a kept policy cannot be put in force in this process. Default: `console.error`. */
  onError?: (error: unknown) => void;
  /** Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

export interface LivePolicies extends PolicyDesk {
  /**
   * Puts the kept policies in force. Call it before the first decision, and every second if several processes share a
   * keeper. A policy that cannot be put in force is reported and changes nothing.
   *
   * @throws what the keeper throws
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

/** One limiter, and the policy that is in force in this process. */
interface Held {
  readonly managed: ManagedLimiter<never>;
  layers: readonly LayerOptions<never>[];
  /** The last steps that were applied here, successfully or not. */
  policy: PolicyStep | undefined;
  shadow: PolicyStep | undefined;
  /** The document in force; `undefined` for the policy of the settings. */
  document: PolicyDocument | undefined;
  trouble: string | null;
}

/**
 * Lets operators change policies while the service runs. Each change is a step that the keeper keeps, and that every
 * process puts in force. A policy set by an operator takes precedence over the settings.
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
    held.set(name, {
      managed,
      layers: managed.layers ?? layersInForce(managed.limiter),
      policy: undefined,
      shadow: undefined,
      document: undefined,
      trouble: null,
    });
  }

  function heldOf(name: string): Held {
    const found = held.get(name);
    if (found !== undefined) return found;
    throw new OperatorMistake(
      `There is no limiter ${JSON.stringify(name)}, only ${[...held.keys()].join(", ")}.`,
    );
  }

  function putPolicy(one: Held, step: PolicyStep): void {
    // A read that started before a change may finish after it.
    if (step.revision <= (one.policy?.revision ?? 0)) return;
    one.policy = step;
    try {
      const { document } = step;
      one.managed.limiter.setPolicy(document === null ? one.layers : layersIn(one, usable(document)));
      one.document = document ?? undefined;
      one.trouble = null;
    } catch (error) {
      one.trouble = `The policy ${step.hash} was set by ${step.by}, and cannot be used in this process: ${messageOf(error)}`;
      onError(new Error(`${one.managed.limiter.name}: ${one.trouble}`));
    }
  }

  function putShadow(one: Held, step: PolicyStep): void {
    if (step.revision <= (one.shadow?.revision ?? 0)) return;
    one.shadow = step;
    try {
      if (step.document === null) one.managed.limiter.endShadow();
      else one.managed.limiter.setShadow(layersIn(one, usable(step.document)));
    } catch (error) {
      one.managed.limiter.endShadow();
      onError(
        new Error(
          `${one.managed.limiter.name}: the shadow ${step.hash} cannot be used in this process: ${messageOf(error)}`,
        ),
      );
    }
  }

  async function refresh(): Promise<void> {
    for (const step of await keeper.latest()) {
      const one = held.get(step.limiter);
      if (one === undefined) continue;
      if (isShadowStep(step)) putShadow(one, step);
      else putPolicy(one, step);
    }
  }

  const documentOf = (one: Held): PolicyDocument =>
    one.document ?? writePolicyDocument(one.managed.limiter.policy);

  async function standingOf(one: Held): Promise<PolicyStanding> {
    const { managed, policy, shadow, trouble } = one;
    const { name, policy: inForce } = managed.limiter;
    const isSet = policy !== undefined && policy.document !== null;
    const parent = isSet && policy.parent !== null ? await keeper.find(name, policy.parent) : undefined;
    const isOfSettings = parent === undefined || parent.document === null;
    return {
      limiter: name,
      canChange: managed.canChange ?? true,
      hash: inForce.hash,
      document: documentOf(one),
      set: isSet ? { at: policy.at, by: policy.by, reason: policy.reason } : null,
      before: isSet ? { hash: isOfSettings ? null : parent.hash, isOfSettings } : null,
      shadow:
        shadow === undefined || shadow.document === null
          ? null
          : {
              hash: shadow.hash ?? "",
              document: shadow.document,
              at: shadow.at,
              by: shadow.by,
            },
      trouble,
    };
  }

  function check(limiter: string, document: PolicyDocument): PolicyCheck {
    const one = heldOf(limiter);
    try {
      const policy = tried(layersIn(one, document), one);
      const { hash, warnings, units } = policy;
      const { units: counted = [...one.managed.limiter.policy.units], planNames } = one.managed;
      const unknown = [...units, ...(document.units ?? [])].find((unit) => !counted.includes(unit));
      if (unknown !== undefined)
        throw new OperatorMistake(
          `No request uses ${unknown}, so a limit on ${unknown} would never refuse: use ${counted.join(", ")}.`,
        );
      return {
        hash,
        isInForce: isSame(document, hash, one),
        warnings: [
          ...warnings,
          ...layerWarnings(policy, one),
          ...planWarnings(document, one, planNames?.() ?? []),
        ],
      };
    } catch (error) {
      if (isOperatorsMistake(error)) throw new OperatorMistake(error.message);
      throw error;
    }
  }

  function isSame(document: PolicyDocument, hash: string, one: Held): boolean {
    // If the policy in force could not be applied here, the new policy may equal what this process has instead.
    if (one.trouble !== null) return false;
    return hash === one.managed.limiter.policy.hash && keysIn(document) === keysIn(documentOf(one));
  }

  /** @throws PolicyConflict if the operator saw another policy or shadow */
  function checkSeen(one: Held, { from, fromShadow, what }: PolicyOrder): void {
    const { hash } = one.managed.limiter.policy;
    if (from !== hash) {
      const { by, at } = one.policy ?? {};
      const who = by === undefined || at === undefined ? "" : `, since ${by} changed it at ${timeOf(at)}`;
      throw new PolicyConflict(
        `Your change started from policy ${from}, but ${hash} is now in force${who}. Nothing was changed: load the policy in force, and make your change again.`,
      );
    }
    const isOfShadow = what === "shadow" || what === "end-shadow";
    const shadow = one.shadow?.document ? one.shadow.hash : null;
    if (isOfShadow && (fromShadow ?? null) !== shadow) {
      const now =
        shadow === null ? "none is running now" : `${shadow} is running now, set by ${one.shadow?.by}`;
      throw new PolicyConflict(
        `You saw ${fromShadow ? `the shadow ${fromShadow}` : "no shadow"}, but ${now}. Nothing was changed: look at the policies again.`,
      );
    }
  }

  /** Returns the step for an order, depending on what is in force. */
  async function stepFor(
    one: Held,
    order: PolicyOrder,
  ): Promise<Pick<PolicyStep, "document" | "hash" | "before" | "parent">> {
    const { limiter, what } = order;
    const { hash: inForce } = one.managed.limiter.policy;
    if (what === "end-shadow") {
      if (!one.shadow?.document) throw new OperatorMistake(`${limiter} has no shadow.`);
      return { document: null, hash: null, before: one.shadow.hash, parent: null };
    }
    if (what === "roll-back") {
      const { policy } = one;
      if (policy === undefined || policy.document === null)
        throw new OperatorMistake(`${limiter} has the policy of the settings: there is no earlier policy.`);
      const parent = policy.parent === null ? null : await keeper.find(limiter, policy.parent);
      if (parent === undefined) throw new OperatorMistake("The previous policy is no longer kept.");
      if (parent === null || parent.document === null)
        return { document: null, hash: tried(one.layers, one).hash, before: inForce, parent: null };
      // It was valid when it was set, but this process must be able to use it now.
      check(limiter, parent.document);
      return { document: parent.document, hash: parent.hash, before: inForce, parent: parent.parent };
    }
    const { document } = order;
    if (document === undefined) throw new OperatorMistake("The policy is missing.");
    const { hash, isInForce } = check(limiter, document);
    if (isInForce) throw new OperatorMistake(`This policy is already in force (${hash}).`);
    const { shadow } = one;
    if (
      what === "shadow" &&
      shadow?.document &&
      shadow.hash === hash &&
      keysIn(shadow.document) === keysIn(document)
    )
      throw new OperatorMistake(`This is the shadow of ${limiter} already (${hash}).`);
    if (what === "shadow")
      return { document, hash, before: one.shadow?.document ? one.shadow.hash : null, parent: null };
    return { document, hash, before: inForce, parent: one.policy?.document ? one.policy.revision : null };
  }

  async function add(order: PolicyOrder, by: string): Promise<PolicyStep> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      await refresh();
      const one = heldOf(order.limiter);
      if (one.managed.canChange === false)
        throw new OperatorMistake(`The policy of ${order.limiter} cannot be changed here.`);
      checkSeen(one, order);
      // Read before any await. If another change takes this number meanwhile, this change is tried again.
      const revision = Math.max(one.policy?.revision ?? 0, one.shadow?.revision ?? 0) + 1;
      const step: PolicyStep = {
        ...(await stepFor(one, order)),
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
      "Somebody else is changing this policy. Nothing was changed: look at the policy again.",
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
        // Another operator was first, but the policy is live anyway.
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
      return Promise.all([...held.values()].map(standingOf));
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

/** @throws HeadgateError `option-invalid` if the layers need functions, which the policy in force does not have */
function layersInForce({ name, policy }: ManagedLimiter<never>["limiter"]): LayerOptions<never>[] {
  if (policy.layers.some(({ limits }) => limits === undefined))
    throw new HeadgateError(
      "option-invalid",
      `livePolicies needs the layers of "${name}" that createLimiter was given: some of their limits depend on the caller.`,
    );
  const keys = Object.fromEntries(policy.layers.map(({ name: layer, key }) => [layer, key]));
  return layersOf<never>(writePolicyDocument(policy), { keys });
}

/** @throws HeadgateError for a document that this release cannot read */
function usable(document: PolicyDocument): PolicyDocument {
  return readPolicyDocument(document);
}

function layersIn({ managed, layers }: Held, document: PolicyDocument): LayerOptions<never>[] {
  const byName = Object.fromEntries(layers.map(({ name, key }) => [name, key]));
  const { keys = byName, plan } = managed;
  const plans = document.layers.flatMap(({ name }) => {
    const own = plan ?? layers.find((layer) => layer.name === name)?.plan;
    return own === undefined ? [] : [[name, own] as const];
  });
  const limits = layers.flatMap(({ name, limits }) =>
    typeof limits === "function" ? [[name, limits] as const] : [],
  );
  return layersOf<never>(document, {
    keys,
    plans: Object.fromEntries(plans),
    limits: Object.fromEntries(limits),
  });
}

/** Creates a limiter with these layers, only to check them. */
function tried(layers: readonly LayerOptions<never>[], { managed }: Held) {
  const limiter = createLimiter<never>({
    name: "policy-check",
    layers,
    units: [...managed.limiter.policy.units],
    onWarning() {},
  });
  void limiter.close();
  const { hash, layers: made, warnings } = limiter.policy;
  return { hash, layers: made, warnings, units: countedIn(limiter.policy) };
}

type LimiterPolicy = Limiter<never>["policy"];

function countedIn({ layers }: LimiterPolicy): Set<string> {
  const sets = layers.flatMap(({ knownLimits }) => knownLimits);
  return new Set(sets.flatMap(({ limits }) => limits.map(({ unit }) => unit)));
}

function layerWarnings({ layers }: Pick<LimiterPolicy, "layers">, { managed }: Held): string[] {
  const names = new Set(layers.map(({ name }) => name));
  const ended = managed.limiter.policy.layers.filter(({ name }) => !names.has(name));
  const closed = layers.filter(({ knownLimits }) => knownLimits.every(({ word }) => word === "blocked"));
  return [
    ...ended.map(
      ({ name }) =>
        `Layer "${name}" is in force but not in this policy: its limits would end. A layer with another name counts from 0.`,
    ),
    ...closed.map(({ name }) => `Layer "${name}" refuses every request.`),
  ];
}

function planWarnings(
  document: PolicyDocument,
  { managed, layers }: Held,
  names: readonly string[],
): string[] {
  return document.layers.flatMap(({ name, plans, defaultPlan }) => {
    if (plans === undefined) return [];
    const isKnown =
      managed.plan !== undefined || layers.some((layer) => layer.name === name && "plan" in layer);
    if (!isKnown)
      return [`Layer "${name}": callers' plans are unknown, so all callers have the plan "${defaultPlan}".`];
    const missing = names.filter((plan) => !Object.hasOwn(plans, plan));
    if (missing.length === 0) return [];
    return [
      `Layer "${name}" has no plan ${missing.map((plan) => `"${plan}"`).join(", ")}: callers with it get "${defaultPlan}".`,
    ];
  });
}

/** Returns the name of each layer's key function, which the hash does not cover. */
function keysIn({ layers }: PolicyDocument): string {
  return JSON.stringify(layers.map(({ name, key = name }) => [name, key]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 16).concat(" UTC");
}
