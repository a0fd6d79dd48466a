import { type Clock, HeadgateError, type Limiter, type Refused } from "headgate";
import { checkNames } from "../options.ts";

/** The operator who uses the console. The audit log records the name. */
export interface Operator {
  name: string;
}

/** How the console's page asks for a token. */
export interface SignIn<Given extends readonly unknown[]> {
  /** Counts an attempt, before the body is read. */
  attempt(request: Request, ...given: Given): Promise<SignInAttempt | Refused>;
  /** Returns the cookie that ends the session in this browser. */
  signOut(request: Request, ...given: Given): string;
}

export interface SignInAttempt {
  readonly admitted: true;
  /** @param name the operator's name for the audit log; may be empty */
  check(token: string, name: string): Promise<{ cookie: string } | undefined>;
}

export interface OperatorTokenOptions<Caller, Given extends readonly unknown[]> {
  /**
   * The token: 32 characters or more, such as the output of `openssl rand -base64 32`. Changing it ends every session.
   */
  token: string;
  /** Limits attempts, to prevent guessing. A correct attempt is refunded. */
  limiter: Limiter<Caller>;
  /** Returns the limiter's caller for an attempt, usually the client's address. */
  caller: (request: Request, ...given: Given) => Caller;
  /** The console's path, as browsers see it. Default: `/operator`. */
  path?: string;
  /** Whether the cookie is `Secure`. Default: if the request's URL begins with `https`. */
  secure?: (request: Request, ...given: Given) => boolean;
  /** Called after a wrong token. The typed text is not passed, because it may be a valid token of another service. */
  onWrong?: (request: Request, ...given: Given) => void;
  /** The source of the time. Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

export interface OperatorToken<Given extends readonly unknown[]> {
  /** Returns the operator of the request's session cookie, or `null`. */
  authorize(request: Request): Promise<Operator | null>;
  signIn: SignIn<Given>;
}

export const SHORTEST_TOKEN = 32;
const COOKIE = "headgate_operator";
const SESSION_SECONDS = 43_200;
const LONGEST_NAME = 60;
const TOKENS_NAME = "token";

/**
 * Opens the console to operators who share a token. The token starts a session of twelve hours, in a cookie that no
 * script and no other site can use. The cookie is signed with the token, so every process that has the token accepts
 * it.
 *
 * @throws HeadgateError `option-invalid` for a token that is too short
 */
export function operatorToken<Caller, Given extends readonly unknown[] = []>(
  options: OperatorTokenOptions<Caller, Given>,
): OperatorToken<Given> {
  checkNames("operatorToken", options, {
    token: true,
    limiter: true,
    caller: true,
    path: true,
    secure: true,
    onWrong: true,
    clock: true,
  });
  const { token, limiter, caller, path = "/operator", onWrong, clock = { now: Date.now } } = options;
  if (typeof token !== "string" || token.length < SHORTEST_TOKEN) {
    throw new HeadgateError(
      "option-invalid",
      `token of operatorToken must be text of ${SHORTEST_TOKEN} characters or more, such as the output of \`openssl rand -base64 32\` (the value is not shown).`,
    );
  }
  const { secure = (request: Request) => request.url.startsWith("https:") } = options;
  const key = importKey(token);

  function cookie(value: string, seconds: number, isSecure: boolean): string {
    return `${COOKIE}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
  }

  async function sessionFor(name: string): Promise<string> {
    const session = { name, until: clock.now() + SESSION_SECONDS * 1_000 };
    const payload = encode(new TextEncoder().encode(JSON.stringify(session)));
    const signature = await crypto.subtle.sign("HMAC", await key, new TextEncoder().encode(payload));
    return `${payload}.${encode(new Uint8Array(signature))}`;
  }

  return {
    async authorize(request) {
      const [payload, signature] = cookieOf(request)?.split(".") ?? [];
      const bytes = decode(signature);
      if (payload === undefined || bytes === undefined) return null;
      const isOurs = await crypto.subtle.verify("HMAC", await key, bytes, new TextEncoder().encode(payload));
      if (!isOurs) return null;
      const session: { name: string; until: number } = JSON.parse(new TextDecoder().decode(decode(payload)));
      return session.until > clock.now() ? { name: session.name } : null;
    },

    signIn: {
      async attempt(request, ...given) {
        const admission = await limiter.admit(caller(request, ...given));
        if (!admission.admitted) return admission;
        return {
          admitted: true,
          async check(typed, name) {
            if (!(await isSame(typed, token))) {
              onWrong?.(request, ...given);
              return undefined;
            }
            await admission.end("nothing");
            const given_ = name
              .replace(/\p{Cc}/gu, " ")
              .trim()
              .slice(0, LONGEST_NAME);
            const session = await sessionFor(given_ === "" ? TOKENS_NAME : `${given_} (${TOKENS_NAME})`);
            return { cookie: cookie(session, SESSION_SECONDS, secure(request, ...given)) };
          },
        };
      },
      signOut: (request, ...given) => cookie("", 0, secure(request, ...given)),
    },
  };
}

/** The type of a key. It is derived from a function, because Node's types have no name for it. */
type HmacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Derives a separate key, so that other uses of the token reveal nothing about it. */
async function importKey(token: string): Promise<HmacKey> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(`headgate operator\n${token}`),
  );
  return crypto.subtle.importKey("raw", digest, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

/** Compares two texts in constant time: it compares all bytes of their digests. */
async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map(async (text) => {
      return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    }),
  );
  let difference = 0;
  a?.forEach((byte, place) => {
    difference |= byte ^ (b?.[place] ?? 0);
  });
  return difference === 0;
}

function cookieOf(request: Request): string | undefined {
  const found = (request.headers.get("Cookie") ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1);
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** @returns `undefined` if the text is not base64url */
function decode(text: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (text === undefined || !/^[\w-]{1,1024}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  } catch {
    return undefined;
  }
}
