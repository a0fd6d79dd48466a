import type { AccountSession, Credit, RedeemRequest } from "../../../contract.ts";
import { api } from "../service/api.ts";
import { authClient } from "./authenticate.ts";

const { fetch } = authClient;

/** Returns the account's sessions, the most recently used first. */
export async function listSessions(): Promise<AccountSession[]> {
  return (await api<{ sessions: AccountSession[] }>("/account/sessions", { fetch })).sessions;
}

export function endSession(id: string): Promise<void> {
  return api(`/account/sessions/${encodeURIComponent(id)}`, { method: "DELETE", fetch });
}

export function endOtherSessions(): Promise<void> {
  return api("/account/sessions", { method: "DELETE", fetch });
}

/** Changes the password, which ends the other sessions. */
export function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  return api("/auth/change-password", { method: "POST", body: { currentPassword, newPassword }, fetch });
}

export function deleteAccount(password: string): Promise<void> {
  return api("/account/delete", { method: "POST", body: { password }, fetch });
}

/** Requests a reset link by e-mail. The response is the same whether or not the account exists. */
export function requestReset(email: string): Promise<void> {
  return api("/auth/request-password-reset", { method: "POST", body: { email }, fetch });
}

export function resetPassword(token: string, newPassword: string): Promise<void> {
  return api("/auth/reset-password", { method: "POST", body: { token, newPassword }, fetch });
}

/** Requests another confirmation e-mail. */
export function requestConfirmation(email: string): Promise<void> {
  return api("/auth/send-verification-email", { method: "POST", body: { email }, fetch });
}

/** Adds a code's credit to the account. */
export function redeem(code: string): Promise<Credit> {
  return api("/account/credit/codes", { method: "POST", body: { code } satisfies RedeemRequest, fetch });
}

/** Returns a short name of a browser and its system, such as `Firefox on Linux`. */
export function browserName(userAgent: string | null): string {
  if (userAgent === null) return "Unknown browser";
  const browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].find((word) =>
    userAgent.includes(`${word}/`),
  );
  const system = ["Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux"].find((word) =>
    userAgent.includes(word),
  );
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", "Mac OS": "macOS" };
  const name = (word: string | undefined) => (word === undefined ? undefined : (names[word] ?? word));
  if (browser === undefined) return userAgent.slice(0, 40);
  return system === undefined ? String(name(browser)) : `${name(browser)} on ${name(system)}`;
}
