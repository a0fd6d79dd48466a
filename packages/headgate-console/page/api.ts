import type { PolicyReplay } from "../src/policies/policy-desk.ts";
import type { CallerDecision } from "../src/serving/desk.ts";
import type { Changes, Checked, Done, Found, Now, Policies, Session } from "../src/serving/view.ts";

/**
 * The console's address. It is relative to this script, so it works at any mount path and behind any proxy prefix.
 */
const root = new URL("../", import.meta.url);

/** The server refused a request. The message is for the operator. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

const SIGN_IN = "api/sign-in";
let notifyEnd = () => {};

/** @param listener called when the operator's session has ended */
export function onSessionEnd(listener: () => void): void {
  notifyEnd = listener;
}

async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(new URL(path, root), { credentials: "same-origin", ...init });
  } catch {
    throw new Refused(0, "Cannot reach the service.");
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body as Answer;
  if (response.status === 401 && path !== SIGN_IN) notifyEnd();
  const { detail } = (body ?? {}) as { detail?: unknown };
  throw new Refused(
    response.status,
    typeof detail === "string" ? detail : `The service answered ${response.status}.`,
  );
}

export type PolicyAction = "live" | "roll-back" | "shadow" | "end-shadow";

export interface PolicyOrder {
  limiter: string;
  /** The hash of the policy that the change was made from. */
  from: string;
  fromShadow?: string | null;
  text?: string;
  reason?: string;
}

const send = <Answer>(path: string, body: object) =>
  ask<Answer>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

export const api = {
  session: () => ask<Session>("api/session"),
  now: () => ask<Now>("api/now"),
  find: (query: string) => ask<Found>(`api/find?q=${encodeURIComponent(query)}`),
  changes: () => ask<Changes>("api/changes"),
  signIn: (token: string, name: string) => send<object>(SIGN_IN, { token, name }),
  signOut: () => send<object>("api/sign-out", {}),
  decide: (decision: CallerDecision) => send<Done>("api/decide", decision),
  grant: (of: string, amount: string, id: string, reason: string) =>
    send<Done>("api/grant", { of, amount, id, reason }),
  policies: () => ask<Policies>("api/policies"),
  checkPolicy: (limiter: string, text: string) => send<Checked>("api/policy/check", { limiter, text }),
  replayPolicy: (limiter: string, text: string, lastMs: number | undefined) =>
    send<PolicyReplay>("api/policy/replay", { limiter, text, lastMs }),
  changePolicy: (what: PolicyAction, order: PolicyOrder) => send<Done>(`api/policy/${what}`, order),
  issueCode: (amount: string, days: number | undefined, reason: string) =>
    send<Done>("api/code", { amount, days, reason }),
};

/** The address of the audit log as a file. */
export const exportAs = (format: "csv" | "json") => new URL(`api/export?format=${format}`, root).href;

/** Returns the message of an error, for the operator. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : "Something went wrong.";
}
