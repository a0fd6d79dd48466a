import { createLimiter, HeadgateError, type LayerOptions, type Limiter } from "headgate";
import {
  layersOf,
  type PolicyDocument,
  readPolicyDocument,
  writePolicyDocument,
} from "headgate/policy-document";
import type { PolicyKeeper, PolicyStep } from "./keeper.ts";
import type { PolicyStanding } from "./policy-desk.ts";

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
  /** Key functions that a policy document may name. Default: the functions of `layers`, by layer. */
  keys?: Readonly<Record<string, (caller: Caller) => string | number | null>>;
  /** Returns the plan of a caller, for layers with plans. Default: the function of the layer in `layers`. */
  plan?: (caller: Caller) => string | undefined | PromiseLike<string | undefined>;
  /** The plans that callers can have. The console warns if a policy lacks one of them. */
  planNames?: () => readonly string[];
  /**
   * The units that requests use: a limit on another unit would never refuse. Default: the units of the limiter's
   * policy.
   */
  units?: readonly string[];
  /** Whether operators may change the policy. Default: true. */
  canChange?: boolean;
}

/** One limiter, and the policy that is in force in this process. */
export interface Held {
  readonly managed: ManagedLimiter<never>;
  layers: readonly LayerOptions<never>[];
  /** The last steps that were applied here, successfully or not. */
  policy: PolicyStep | undefined;
  shadow: PolicyStep | undefined;
  /** The document in force; `undefined` for the policy of the settings. */
  document: PolicyDocument | undefined;
  trouble: string | null;
}

/** Holds a limiter under the policy of its settings. @throws HeadgateError `option-invalid` */
export function hold(managed: ManagedLimiter<never>): Held {
  return {
    managed,
    layers: managed.layers ?? layersInForce(managed.limiter),
    policy: undefined,
    shadow: undefined,
    document: undefined,
    trouble: null,
  };
}

/** Puts the policy of a step into force in this process. A failure is reported, and changes nothing. */
export function putPolicy(one: Held, step: PolicyStep, onError: (error: unknown) => void): void {
  // A read that started before a change may finish after it.
  if (step.revision <= (one.policy?.revision ?? 0)) return;
  one.policy = step;
  try {
    const { document } = step;
    // Another release may have stored the document, and this release may not be able to use it.
    one.managed.limiter.setPolicy(
      document === null ? one.layers : layersIn(one, readPolicyDocument(document)),
    );
    one.document = document ?? undefined;
    one.trouble = null;
  } catch (error) {
    one.trouble = `The policy ${step.hash} that ${step.by} set cannot be used in this process: ${messageOf(error)}`;
    onError(new Error(`${one.managed.limiter.name}: ${one.trouble}`));
  }
}

/** Like `putPolicy`, for a shadow. A failure ends the shadow. */
export function putShadow(one: Held, step: PolicyStep, onError: (error: unknown) => void): void {
  if (step.revision <= (one.shadow?.revision ?? 0)) return;
  one.shadow = step;
  try {
    if (step.document === null) one.managed.limiter.endShadow();
    else one.managed.limiter.setShadow(layersIn(one, readPolicyDocument(step.document)));
  } catch (error) {
    one.managed.limiter.endShadow();
    onError(
      new Error(
        `${one.managed.limiter.name}: the shadow ${step.hash} cannot be used in this process: ${messageOf(error)}`,
      ),
    );
  }
}

export const documentOf = (one: Held): PolicyDocument =>
  one.document ?? writePolicyDocument(one.managed.limiter.policy);

/** Returns what the page shows of the policy in force. */
export async function standingOf(one: Held, keeper: PolicyKeeper): Promise<PolicyStanding> {
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

/** Returns the layers of a document, with the functions of the limiter. */
export function layersIn({ managed, layers }: Held, document: PolicyDocument): LayerOptions<never>[] {
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
export function tried(layers: readonly LayerOptions<never>[], { managed }: Held) {
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

export type LimiterPolicy = Limiter<never>["policy"];

function countedIn({ layers }: LimiterPolicy): Set<string> {
  const sets = layers.flatMap(({ knownLimits }) => knownLimits);
  return new Set(sets.flatMap(({ limits }) => limits.map(({ unit }) => unit)));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
