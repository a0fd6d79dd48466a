import { createClient, RateLimitedError } from "headgate/client";
import { api } from "../service/api.ts";
import { ServiceError } from "../service/failure.ts";

/**
 * A separate client, so that too many sign-in attempts are not shown as too many messages or shared with other tabs.
 */
export const authClient = createClient({ share: false });

export interface Credentials {
  email: string;
  password: string;
}

/** Opens a session. Throws like {@link api}; {@link authTroubleOf} turns the error into a sentence. */
export async function signIn(credentials: Credentials): Promise<void> {
  await api("/auth/sign-in/email", { method: "POST", body: credentials, fetch: authClient.fetch });
}

/** Creates an account and opens a session for it. */
export async function signUp(credentials: Credentials): Promise<void> {
  const name = credentials.email.split("@")[0] ?? credentials.email;
  await api("/auth/sign-up/email", {
    method: "POST",
    body: { ...credentials, name },
    fetch: authClient.fetch,
  });
}

/** Ends the session. */
export async function signOut(): Promise<void> {
  await api("/auth/sign-out", { method: "POST", body: {}, fetch: authClient.fetch });
}

/** Why signing in or up failed: a sentence, the field that is wrong, and the time to wait for. */
export interface AuthTrouble {
  sentence: string;
  field?: "email" | "password";
  /** When to try again, in milliseconds since the epoch. */
  deadline?: number;
}

/** The minimum length of a password, which the service enforces. */
export const shortestPassword = 8;

/** Messages for the error codes of better-auth whose cause a user can fix. */
const sentences: Record<string, AuthTrouble> = {
  INVALID_EMAIL_OR_PASSWORD: { sentence: "This e-mail address and password do not match an account." },
  INVALID_PASSWORD: { sentence: "This is not your current password.", field: "password" },
  INVALID_TOKEN: { sentence: "This link has been used, or is older than an hour. Please request another." },
  INVALID_EMAIL: { sentence: "This does not look like an e-mail address.", field: "email" },
  USER_ALREADY_EXISTS: {
    sentence: "There is already an account with this e-mail address. Sign in instead?",
    field: "email",
  },
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: {
    sentence: "There is already an account with this e-mail address. Sign in instead?",
    field: "email",
  },
  PASSWORD_TOO_SHORT: {
    sentence: `Please choose a password of at least ${shortestPassword} characters.`,
    field: "password",
  },
  PASSWORD_TOO_COMMON: {
    sentence: "This password is too common. Four unrelated words make a better password.",
    field: "password",
  },
  PASSWORD_TOO_LONG: { sentence: "Please choose a password of at most 128 characters.", field: "password" },
};

/** Turns an error of {@link signIn} or {@link signUp} into a sentence. */
export function authTroubleOf(error: unknown): AuthTrouble {
  if (error instanceof RateLimitedError) {
    return { sentence: "Too many attempts from your network.", deadline: error.deadline };
  }
  if (!(error instanceof ServiceError)) {
    return { sentence: "The service could not be reached. Please check your connection and try again." };
  }
  const { code = error.problem.error?.toUpperCase(), message } = error.problem as {
    code?: unknown;
    message?: unknown;
  };
  const known = typeof code === "string" ? sentences[code] : undefined;
  if (known) return known;
  if (error.status >= 500) return { sentence: "The service has a problem. Please try again in a moment." };
  if (typeof message === "string" && message !== "") return { sentence: message };
  return { sentence: error.message };
}
