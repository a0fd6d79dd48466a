import { OperatorMistake } from "../serving/desk.ts";
import { type Held, tried } from "./held.ts";
import type { PolicyKeeper, PolicyStep } from "./keeper.ts";
import { checkPolicy, keysIn } from "./policy-check.ts";
import { PolicyConflict, type PolicyOrder } from "./policy-desk.ts";

/** @throws PolicyConflict if the operator saw another policy or shadow */
export function checkSeen(one: Held, { from, fromShadow, what }: PolicyOrder): void {
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
export async function stepFor(
  one: Held,
  order: PolicyOrder,
  keeper: PolicyKeeper,
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
    // The policy was valid when it was set, but this process must be able to use it now.
    checkPolicy(one, parent.document);
    return { document: parent.document, hash: parent.hash, before: inForce, parent: parent.parent };
  }
  const { document } = order;
  if (document === undefined) throw new OperatorMistake("The policy is missing.");
  const { hash, isInForce } = checkPolicy(one, document);
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

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 16).concat(" UTC");
}
