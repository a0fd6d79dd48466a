import type { PolicyDesk, PolicyOrder } from "../policies/policy-desk.ts";
import { type CallerDesk, type CreditDesk, OperatorMistake } from "./desk.ts";
import { readCode, readDecision, readGrant } from "./orders.ts";
import { changePolicy, checkPolicy, replayPolicy } from "./policy-actions.ts";
import type { Done } from "./view.ts";

/** Carries out an operator's request. Throws `OperatorMistake`. */
type Action = (body: unknown, by: string) => Promise<object>;

interface Desks {
  callers: CallerDesk | undefined;
  credit: CreditDesk | undefined;
  policies: PolicyDesk | undefined;
}

/** Returns the operators' actions, by the path of the request. */
export function createActions({ callers, credit, policies }: Desks): Record<string, Action> {
  async function decide(body: unknown, by: string): Promise<Done> {
    if (callers === undefined) throw new OperatorMistake("This console cannot change callers.");
    const decision = readDecision(body);
    const standing = await callers.decide(decision, by);
    if (standing === undefined)
      throw new OperatorMistake(`There is no caller ${JSON.stringify(decision.of)}.`);
    return { said: saidOf[decision.what](decision.of), standing };
  }

  async function grant(body: unknown, by: string): Promise<Done> {
    if (credit === undefined) throw new OperatorMistake("This service has no credit.");
    const { of, amount, id, reason } = readGrant(body);
    const said = await credit.grant(of, amount, by, id, reason);
    if (said === undefined) throw new OperatorMistake(`There is no account ${JSON.stringify(of)}.`);
    return { said };
  }

  async function issueCode(body: unknown, by: string): Promise<Done> {
    if (credit === undefined) throw new OperatorMistake("This service has no credit.");
    const { amount, days, reason } = readCode(body);
    return { said: "The code is shown only now.", code: await credit.issueCode(amount, days, by, reason) };
  }

  const change =
    (what: PolicyOrder["what"]): Action =>
    (body, by) =>
      changePolicy(policies, what, body, by);
  return {
    "/api/decide": decide,
    "/api/grant": grant,
    "/api/code": issueCode,
    "/api/policy/check": (body) => checkPolicy(policies, body),
    "/api/policy/replay": (body) => replayPolicy(policies, body),
    "/api/policy/shadow": change("shadow"),
    "/api/policy/end-shadow": change("end-shadow"),
    "/api/policy/live": change("live"),
    "/api/policy/roll-back": change("roll-back"),
  };
}

const saidOf = {
  reset: (of: string) => `${of} has the full quota again.`,
  end: (of: string) => `${of} has the usual limits again.`,
  block: (of: string) => `${of} is blocked.`,
  override: (of: string) => `${of} has other limits now.`,
};
