import type { PolicyDocument } from "headgate/policy-document";
import { OperatorMistake } from "../serving/desk.ts";
import { isOperatorsMistake } from "../serving/limiter-desk.ts";
import { documentOf, type Held, type LimiterPolicy, layersIn, tried } from "./held.ts";
import type { PolicyCheck } from "./policy-desk.ts";

/** @throws OperatorMistake if the policy cannot be used */
export function checkPolicy(one: Held, document: PolicyDocument): PolicyCheck {
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
  // If the stored policy could not be applied here, this process has another policy, which the new policy may equal.
  if (one.trouble !== null) return false;
  return hash === one.managed.limiter.policy.hash && keysIn(document) === keysIn(documentOf(one));
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
export function keysIn({ layers }: PolicyDocument): string {
  return JSON.stringify(layers.map(({ name, key = name }) => [name, key]));
}
