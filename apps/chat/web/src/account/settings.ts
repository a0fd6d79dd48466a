import type { AccountSession, Credit, RedeemRequest } from "../../../contract.ts";
import { api } from "../service/api.ts";
import { authClient } from "./authenticate.ts";

const { fetch } = authClient;

/** Where the account is signed in, the place used last first. */
export async function listSessions(): Promise<AccountSession[]> {
  return (await api<{ sessions: AccountSession[] }>("/account/sessions", { fetch })).sessions;
}

export function endSession(id: string): Promise<void> {
  return api(`/account/sessions/${encodeURIComponent(id)}`, { method: "DELETE", fetch });
}

export function endOtherSessions(): Promise<void> {
  return api("/account/sessions", { method: "DELETE", fetch });
}

/** The other sessions end with it. */
export function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  return api("/auth/change-password", { method: "POST", body: { currentPassword, newPassword }, fetch });
}

export function deleteAccount(password: string): Promise<void> {
  return api("/account/delete", { method: "POST", body: { password }, fetch });
}

/** Asks for a link by mail. The answer is the same whether or not there is such an account. */
export function requestReset(email: string): Promise<void> {
  return api("/auth/request-password-reset", { method: "POST", body: { email }, fetch });
}

export function resetPassword(token: string, newPassword: string): Promise<void> {
  return api("/auth/reset-password", { method: "POST", body: { token, newPassword }, fetch });
}

/** Asks for the mail that confirms the account's address once more. */
export function requestConfirmation(email: string): Promise<void> {
  return api("/auth/send-verification-email", { method: "POST", body: { email }, fetch });
}

/** Adds what a code is worth to the account. */
export function redeem(code: string): Promise<Credit> {
  return api("/account/credit/codes", { method: "POST", body: { code } satisfies RedeemRequest, fetch });
}

/** What a browser calls itself, in two words: `Firefox on Linux`. */
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
