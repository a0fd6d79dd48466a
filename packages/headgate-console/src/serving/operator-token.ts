import { type Clock, HeadgateError, type Limiter, type Refused } from "headgate";

/** Who is at the console: the audit log records their name. */
export interface Operator {
  name: string;
}

/** How the console's page asks for a token. */
export interface SignIn<Given extends readonly unknown[]> {
  /** Counts the attempt, before anything of it is read. */
  attempt(request: Request, ...given: Given): Promise<SignInAttempt | Refused>;
  /** The cookie that ends the session in this browser. */
  signOut(request: Request, ...given: Given): string;
}

export interface SignInAttempt {
  readonly admitted: true;
  /** @param name what the operator calls themselves, for the audit log; may be empty */
  check(token: string, name: string): Promise<{ cookie: string } | undefined>;
}

export interface OperatorTokenOptions<Caller, Given extends readonly unknown[]> {
  /** 32 characters or more, such as `openssl rand -base64 32` writes. Another one ends every session. */
  token: string;
  /** Counts attempts, so that nobody guesses; a right one is given back. */
  limiter: Limiter<Caller>;
  /** Who attempts, for the limiter: usually the client's address. */
  caller: (request: Request, ...given: Given) => Caller;
  /** Where the console is mounted, as browsers see it. Default: `/operator`. */
  path?: string;
  /** Whether the cookie is kept to TLS. Default: where the request's address says `https`. */
  secure?: (request: Request, ...given: Given) => boolean;
  /** Called after a wrong token. What was typed is not passed on: it may be the right one of another service. */
  onWrong?: (request: Request, ...given: Given) => void;
  /** Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

export interface OperatorToken<Given extends readonly unknown[]> {
  /** Whose session the request's cookie holds; `null` for nobody's. */
  authorize(request: Request): Promise<Operator | null>;
  signIn: SignIn<Given>;
}

export const SHORTEST_TOKEN = 32;
const COOKIE = "headgate_operator";
const SESSION_SECONDS = 43_200;
const LONGEST_NAME = 60;
const TOKENS_NAME = "token";

/**
 * Opens the console with a token that operators share. It starts a session of twelve hours, in a cookie that no script
 * and no other site can use. The cookie is signed with the token, so every process that has the token accepts it.
 *
 * @throws HeadgateError `option-invalid` for a token that is too short
 */
export function operatorToken<Caller, Given extends readonly unknown[] = []>(
  options: OperatorTokenOptions<Caller, Given>,
): OperatorToken<Given> {
  const { token, limiter, caller, path = "/operator", onWrong, clock = { now: Date.now } } = options;
  if (typeof token !== "string" || token.length < SHORTEST_TOKEN) {
    throw new HeadgateError(
      "option-invalid",
      `token of operatorToken must be text of ${SHORTEST_TOKEN} characters or more, such as \`openssl rand -base64 32\` writes (its value is not shown).`,
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

/** Named by what makes it: Node's types have no name for it. */
type HmacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A key of its own: what else the token may be used for tells nothing of it. */
async function importKey(token: string): Promise<HmacKey> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(`headgate operator\n${token}`),
  );
  return crypto.subtle.importKey("raw", digest, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

/** In a time that tells nothing of where they differ: what is compared are their digests, to the last byte. */
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

/** @returns `undefined` for what is not base64url */
function decode(text: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (text === undefined || !/^[\w-]{1,1024}$/.test(text)) return undefined;
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  } catch {
    return undefined;
  }
}
