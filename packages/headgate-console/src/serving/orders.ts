import type { PolicyOrder } from "../policies/policy-desk.ts";
import { type CallerDecision, OperatorMistake } from "./desk.ts";

/** The longest duration of an order: ten years. */
const LONGEST_MS = 315_360_000_000;
const LONGEST_CALLER = 300;
const LONGEST_LIMITS = 500;
const LONGEST_REASON = 200;
const LONGEST_NAME = 100;
const POLICY_MEMBERS = ["limiter", "text", "lastMs", "from", "fromShadow", "reason"];

/** @throws OperatorMistake naming the member and what would be right */
export function readDecision(body: unknown): CallerDecision {
  const order = membersOf(body, ["what", "of", "limits", "forMs", "reason"]);
  const of = textIn(order, "of", LONGEST_CALLER);
  const { what } = order;
  if (what !== "override") refuseMember(order, "limits");
  if (what === "reset" || what === "end") refuseMember(order, "forMs");
  const why = optional("reason", reasonIn(order));
  if (what === "reset" || what === "end") return { what, of, ...why };
  const terms = { ...optional("forMs", numberIn(order, "forMs", LONGEST_MS)), ...why };
  if (what === "block") return { what, of, ...terms };
  if (what === "override") return { what, of, limits: textIn(order, "limits", LONGEST_LIMITS), ...terms };
  throw new OperatorMistake("what must be reset, end, block or override.");
}

/** @throws OperatorMistake as above */
export function readGrant(body: unknown): {
  of: string;
  amount: string;
  id: string;
  reason: string | undefined;
} {
  const order = membersOf(body, ["of", "amount", "id", "reason"]);
  const id = textIn(order, "id", 64);
  if (!/^[\w-]{16,64}$/.test(id))
    throw new OperatorMistake("id must be 16 to 64 letters, digits, - or _, different for each grant.");
  return {
    of: textIn(order, "of", LONGEST_CALLER),
    amount: textIn(order, "amount", 30),
    id,
    reason: reasonIn(order),
  };
}

/** The policy that an operator typed, and its limiter. */
export interface TypedPolicy {
  limiter: string;
  text: string;
}

/** @throws OperatorMistake as above */
export function readTypedPolicy(body: unknown): TypedPolicy & { lastMs: number | undefined } {
  const order = membersOf(body, POLICY_MEMBERS);
  const { text } = order;
  if (typeof text !== "string") throw new OperatorMistake("text must be the policy, as JSON.");
  return {
    limiter: textIn(order, "limiter", LONGEST_NAME),
    text,
    lastMs: numberIn(order, "lastMs", LONGEST_MS),
  };
}

/** @throws OperatorMistake as above */
export function readPolicyOrder(body: unknown): Omit<PolicyOrder, "what" | "document"> {
  const order = membersOf(body, POLICY_MEMBERS);
  const fromShadow = optionalText(order, "fromShadow", LONGEST_NAME);
  return {
    limiter: textIn(order, "limiter", LONGEST_NAME),
    from: textIn(order, "from", LONGEST_NAME),
    ...optional("fromShadow", fromShadow),
    ...optional("reason", reasonIn(order)),
  };
}

/** @throws OperatorMistake as above */
export function readCode(body: unknown): {
  amount: string;
  days: number | undefined;
  reason: string | undefined;
} {
  const order = membersOf(body, ["amount", "days", "reason"]);
  return {
    amount: textIn(order, "amount", 30),
    days: numberIn(order, "days", 3_650),
    reason: reasonIn(order),
  };
}

function reasonIn(order: Members): string | undefined {
  return optionalText(order, "reason", LONGEST_REASON);
}

/** @throws OperatorMistake as above */
export function readSignIn(body: unknown): { token: string; name: string } {
  const order = membersOf(body, ["token", "name"]);
  return { token: textIn(order, "token", 1_024), name: optionalText(order, "name", 100) ?? "" };
}

type Members = Record<string, unknown>;

/**
 * Returns the members of a body. An unknown member is an error: if it were ignored, a block "until" tomorrow would
 * never end.
 */
function membersOf(body: unknown, known: readonly string[]): Members {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new OperatorMistake("Send an object.");
  for (const name of Object.keys(body)) {
    if (!known.includes(name))
      throw new OperatorMistake(`${JSON.stringify(name)} is unknown here. Known are ${known.join(", ")}.`);
  }
  return body as Members;
}

function refuseMember(order: Members, name: string): void {
  if (order[name] === undefined) return;
  throw new OperatorMistake(`${name} means nothing for ${JSON.stringify(order.what)}.`);
}

function textIn(order: Members, name: string, longest: number): string {
  const text = optionalText(order, name, longest);
  if (text !== undefined) return text;
  throw new OperatorMistake(`${name} is missing.`);
}

function optionalText(order: Members, name: string, longest: number): string | undefined {
  const value = order[name];
  if (value === undefined || value === null || value === "") return undefined;
  const text = typeof value === "string" ? value.trim() : "";
  if (text !== "" && text.length <= longest && !/\p{Cc}/u.test(text)) return text;
  throw new OperatorMistake(`${name} must be one line of 1 to ${longest} characters.`);
}

function numberIn(order: Members, name: string, most: number): number | undefined {
  const value = order[name];
  if (value === undefined || value === null) return undefined;
  if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= most) return value as number;
  throw new OperatorMistake(`${name} must be a whole number from 1 to ${most}.`);
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: Value };
}
