import { type Clock, HeadgateError, type Refused } from "headgate";
import { boundedJson, JsonBodyError, refusal } from "headgate/http";
import { pageFiles } from "#page";
import { isClippedKey } from "../counting/clipped.ts";
import type { Collector } from "../counting/collector.ts";
import type { RefusalRecord } from "../counting/recent-refusals.ts";
import { addShadows } from "../counting/shadow-totals.ts";
import { addUp, readSummary, type StoredSummary, type Summary } from "../counting/summary.ts";
import { checkNames } from "../options.ts";
import { PolicyConflict, type PolicyDesk, type PolicyOrder } from "../policies/policy-desk.ts";
import { LONGEST_POLICY } from "../policies/read-policy.ts";
import { type CallerDesk, type Change, type CreditDesk, OperatorMistake } from "./desk.ts";
import type { Operator, SignIn } from "./operator-token.ts";
import { readCode, readDecision, readGrant, readSignIn } from "./orders.ts";
import { changePolicy, checkPolicy, replayPolicy, shownPolicies } from "./policy-actions.ts";
import { csv, json, problem, text } from "./responses.ts";
import { isFromOwnPage } from "./same-origin.ts";
import {
  type Changes,
  type Done,
  type Features,
  type Found,
  type KnownRefusal,
  type Link,
  type Now,
  type Policies,
  type ProcessView,
  policyView,
  type Session,
} from "./view.ts";

export interface ConsoleOptions<Given extends readonly unknown[] = []> {
  /** The counts of this process. */
  collector: Collector;
  /**
   * Returns the operator who sent a request, or `null` for anybody else, who sees nothing. Required: there is no
   * default. If it throws, the request is denied.
   *
   * @param given the handler's other arguments, such as the framework's context
   */
  authorize: (
    request: Request,
    ...given: Given
  ) => Operator | null | undefined | PromiseLike<Operator | null | undefined>;
  /** Lets the page ask for a token: pass what `operatorToken` returns. */
  signIn?: SignIn<Given>;
  /** Another place to sign in, shown to visitors who are not operators. */
  link?: Link;
  /**
   * Returns the stored summaries of the other processes; this process's own are ignored. Default: the page shows only
   * this process, and says so.
   */
  others?: () => Promise<readonly StoredSummary[]>;
  /** Actions for callers. Default: none. */
  callers?: CallerDesk;
  /** Actions for credit. Default: none. */
  credit?: CreditDesk;
  /** Actions for policies: pass what `livePolicies` returns. Default: the page only shows policies. */
  policies?: PolicyDesk;
  /** The mount path, with which requests' paths begin. Default: `/operator`. */
  path?: string;
  /** The origin that browsers use, if a proxy changes `Host`, such as `https://chat.example.com`. */
  origin?: string;
  /** The page's title. Default: "Headgate". */
  title?: string;
  /**
   * What is away, where a failure says so, in one sentence for the operator, such as "The database cannot be reached.": it is
   * answered with 503. `undefined` for other failures, which are a 500. Either is given to `onError`. Default: always `undefined`.
   */
  unavailable?: (error: unknown) => string | undefined;
  /** Called with what failed unexpectedly. Default: writes on the console. */
  onError?: (error: unknown) => void;
  /** Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

/** Answers a request below the console's path. It never rejects. */
export type ConsoleHandler<Given extends readonly unknown[] = []> = (
  request: Request,
  ...given: Given
) => Promise<Response>;

/** After this time without a new summary, a process has ended or cannot write. */
const SILENT_AFTER_MS = 30_000;
/** How many refusals of one limiter the page lists. Others can still be found by id. */
const MOST_SHOWN_REFUSALS = 20;
const MOST_SHOWN_CALLERS = 20;
const MOST_SHOWN_CHANGES = 200;
const MOST_EXPORTED_CHANGES = 10_000;
const LONGEST_QUERY = 300;
const CALLER_FORM = /^(account|user|visitor|ip):|@/;
const BODY = { bytes: 8_192, depth: 3, nodes: 40, stringLength: 2_048 };
/** Limits of a request body with a policy, which is a text in JSON. */
const POLICY_BODY = { bytes: 262_144, depth: 3, nodes: 40, stringLength: 2 * LONGEST_POLICY };
const COLUMNS = ["at", "what", "of", "limits", "until", "reason", "by", "before", "after"] as const;

/**
 * Creates the operator console, a handler of web-standard requests:
 *
 * ```ts
 * const console = createConsole({ collector, authorize: (request) => operatorOf(request) });
 * app.all("/operator/*", (c) => console(c.req.raw));
 * ```
 *
 * @throws HeadgateError `option-invalid`
 */
export function createConsole<Given extends readonly unknown[] = []>(
  options: ConsoleOptions<Given>,
): ConsoleHandler<Given> {
  checkOptions(options);
  const { collector, authorize, signIn, link = null, callers, credit, policies, origin } = options;
  const { path = "/operator", title = "Headgate", clock = { now: Date.now } } = options;
  const { onError = (error: unknown) => console.error("headgate-console:", error) } = options;
  const features: Features = {
    callers: callers?.hint ?? null,
    credit: credit?.currency ?? null,
    canSignOut: signIn !== undefined,
  };

  async function summaries(): Promise<{ views: ProcessView[]; all: Summary[]; unreadable: number }> {
    const own = collector.summary();
    const views = [viewOf(own, 0, "own")];
    const all = [own];
    let unreadable = 0;
    for (const { text, ageMs } of (await options.others?.()) ?? []) {
      const summary = readSummary(text);
      if (summary === undefined) unreadable += 1;
      else if (summary.process.id !== collector.id) {
        all.push(summary);
        views.push(viewOf(summary, ageMs, ageMs < SILENT_AFTER_MS ? "live" : "silent"));
      }
    }
    return { views, all, unreadable };
  }

  const nameOf = (layer: string, key: string, limiter: string) =>
    isClippedKey(key) ? null : (callers?.nameOf(layer, key, limiter) ?? null);
  const known = (record: RefusalRecord): KnownRefusal => ({
    ...record,
    of: nameOf(record.layer, record.key, record.limiter),
    foundBy: record.requestId === null || isCaller(record.requestId) ? null : record.requestId,
  });

  async function now(): Promise<Now> {
    const { views, all, unreadable } = await summaries();
    const at = clock.now();
    const { from, stepMs, series, tops, refusals } = addUp(all, at);
    return {
      at,
      from,
      stepMs,
      series,
      processes: views,
      readsOthers: options.others !== undefined,
      unreadable,
      tops: tops.map(({ counters, ...top }) => ({
        ...top,
        callers: counters.slice(0, MOST_SHOWN_CALLERS).map(([key, count, error]) => ({
          key,
          of: nameOf(top.layer, key, top.limiter),
          count,
          error,
        })),
      })),
      refusals: lastOfEach(refusals).map(known),
      policies: collector.limiters.map(policyView),
      cost: (await credit?.cost?.()) ?? null,
    };
  }

  /** Whether a text is a caller. Clients can choose request ids, so a text in the form of a caller is never an id. */
  function isCaller(query: string): boolean {
    if (callers === undefined) return false;
    return callers.isCaller?.(query) ?? CALLER_FORM.test(query);
  }

  async function refusalsOf(requestId: string): Promise<KnownRefusal[]> {
    const { all } = await summaries();
    return addUp(all, clock.now())
      .refusals.filter((record) => record.requestId === requestId)
      .map(known);
  }

  /** Finds a caller by name or by request id: people who complain give either. */
  async function find(query: string): Promise<Found> {
    const found = isCaller(query) ? [] : await refusalsOf(query);
    if (found.length > 1)
      return { refusal: null, ambiguous: found.slice(0, MOST_SHOWN_REFUSALS), caller: null };
    const [refusal = null] = found;
    const of = refusal === null ? query : refusal.of;
    const nobody: Found = { refusal, ambiguous: [], caller: null };
    if (callers === undefined || of === null) return nobody;
    try {
      const standing = await callers.show(of);
      return standing === undefined ? nobody : { ...nobody, caller: { of, standing } };
    } catch (error) {
      // The id is no caller's name, which its desk may say with a mistake.
      if (!(error instanceof OperatorMistake)) throw error;
      return nobody;
    }
  }

  async function policiesNow(): Promise<Policies> {
    const [standings, { all }] = await Promise.all([
      shownPolicies(policies, collector.limiters),
      summaries(),
    ]);
    return {
      limiters: standings.map(({ shadow, ...standing }) => ({
        ...standing,
        shadow: shadow && {
          ...shadow,
          totals: addShadows(all, standing.limiter, shadow.hash, shadow.at),
        },
      })),
      canReplay: policies?.replay !== undefined,
      readsOthers: options.others !== undefined,
    };
  }

  async function changes(most: number): Promise<Changes> {
    const [inForce, ofCallers, ofPolicies] = await Promise.all([
      callers?.inForce() ?? [],
      callers?.log(most) ?? [],
      policies?.log(most) ?? [],
    ]);
    const log = [
      ...ofCallers,
      ...ofPolicies.map(({ limiter, ...change }) => ({ ...change, of: limiter, limits: null, until: null })),
    ];
    // A stable sort keeps the order within a millisecond.
    return { inForce, log: log.sort((one, other) => other.at - one.at).slice(0, most) };
  }

  async function exported(format: string | null): Promise<Response> {
    const { log } = await changes(MOST_EXPORTED_CHANGES);
    const attach = (end: string) => ({
      headers: { "Content-Disposition": `attachment; filename="limit-changes.${end}"` },
    });
    if (format !== "csv") return json(log, attach("json"));
    const row = (change: Change) =>
      COLUMNS.map((column) =>
        (column === "at" || column === "until") && change[column] !== null
          ? new Date(change[column]).toISOString()
          : change[column],
      );
    return text(csv(COLUMNS, log.map(row)), "text/csv; charset=utf-8", attach("csv"));
  }

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

  const change = (what: PolicyOrder["what"]) => (body: unknown, by: string) =>
    changePolicy(policies, what, body, by);
  const actions: Record<string, (body: unknown, by: string) => Promise<object>> = {
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

  async function read(place: string, url: URL): Promise<Response | undefined> {
    if (place === "/api/now") return json(await now());
    if (place === "/api/policies") return json(await policiesNow());
    if (place === "/api/changes") return json(await changes(MOST_SHOWN_CHANGES));
    if (place === "/api/export") return exported(url.searchParams.get("format"));
    if (place !== "/api/find") return undefined;
    const query = url.searchParams.get("q")?.trim() ?? "";
    if (query === "" || query.length > LONGEST_QUERY)
      return problem(400, "Invalid request", `q must be 1 to ${LONGEST_QUERY} characters.`);
    return json(await find(query));
  }

  function session(operator: Operator | null): Response {
    const state: Session =
      operator === null
        ? { operator, asksForToken: signIn !== undefined, link, title }
        : { operator, features, title };
    return json(state);
  }

  async function signedIn(request: Request, given: Given): Promise<Response> {
    if (signIn === undefined) return notFound();
    // Count the attempt before reading the body.
    const attempt = await signIn.attempt(request, ...given);
    if (!attempt.admitted) return refused(attempt, request);
    const { token, name } = readSignIn(await boundedJson(request, BODY));
    const session = await attempt.check(token, name);
    if (session === undefined) return problem(401, "Wrong token", "This is not the operator's token.");
    return json({}, { headers: { "Set-Cookie": session.cookie } });
  }

  /** @throws HeadgateError `option-invalid` if `authorize` returns anything but an operator or `null` */
  async function operatorOf(request: Request, given: Given): Promise<Operator | null> {
    const operator: unknown = (await authorize(request, ...given)) ?? null;
    if (operator === null) return null;
    const { name } = operator as Partial<Operator>;
    if (typeof name === "string" && name !== "") return { name };
    throw new HeadgateError("option-invalid", 'authorize must return { name: "…" }, or null for nobody.');
  }

  async function acted(place: string, request: Request, given: Given): Promise<Response> {
    if (!isFromOwnPage(request, origin)) {
      return problem(
        403,
        "Cross-site request",
        "This request did not come from the console's page. Programs must send the console's origin as Origin.",
      );
    }
    if (!/^application\/json\b/i.test(request.headers.get("Content-Type") ?? ""))
      return problem(415, "Unsupported media type", "Send JSON, as application/json.");
    if (place === "/api/sign-in") return signedIn(request, given);
    if (place === "/api/sign-out" && signIn !== undefined)
      return json({}, { headers: { "Set-Cookie": signIn.signOut(request, ...given) } });
    const action = actions[place];
    if (action === undefined) return notFound();
    const operator = await operatorOf(request, given);
    if (operator === null) return unauthorized();
    const bounds = place.startsWith("/api/policy/") ? POLICY_BODY : BODY;
    return json(await action(await boundedJson(request, bounds), operator.name));
  }

  async function answer(request: Request, given: Given): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname !== path && !url.pathname.startsWith(`${path}/`)) return notFound();
    const place = url.pathname.slice(path.length);
    if (request.method === "POST") return acted(place, request, given);
    if (request.method !== "GET" && request.method !== "HEAD")
      return problem(405, "Method not allowed", "Use GET or POST.");
    if (place === "" || place === "/") return page(path, place, title);
    if (place.startsWith("/assets/")) return asset(place.slice("/assets/".length));
    const operator = await operatorOf(request, given);
    if (place === "/api/session") return session(operator);
    if (!place.startsWith("/api/")) return notFound();
    if (operator === null) return unauthorized();
    return (await read(place, url)) ?? notFound();
  }

  return async (request, ...given) => {
    try {
      return await answer(request, given);
    } catch (error) {
      if (error instanceof PolicyConflict) return problem(409, "Changed meanwhile", error.message);
      if (error instanceof OperatorMistake) return problem(422, "Cannot be done", error.message);
      if (error instanceof JsonBodyError) return problem(error.status, "Invalid request", error.message);
      onError(error);
      const away = options.unavailable?.(error);
      if (away !== undefined) return problem(503, "Unavailable", away);
      return problem(500, "Something went wrong", "The console failed; the service's log says why.");
    }
  };
}

function checkOptions<Given extends readonly unknown[]>(options: ConsoleOptions<Given>): void {
  checkNames("createConsole", options, {
    collector: true,
    authorize: true,
    signIn: true,
    link: true,
    others: true,
    callers: true,
    credit: true,
    policies: true,
    path: true,
    origin: true,
    title: true,
    unavailable: true,
    onError: true,
    clock: true,
  });
  const { collector, authorize, path } = options;
  if (typeof authorize !== "function") {
    throw new HeadgateError(
      "option-invalid",
      'createConsole needs authorize: a function of the request that returns { name: "…" } for an operator, or null for anybody else.',
    );
  }
  if (typeof collector !== "object" || collector === null || !("summary" in collector)) {
    throw new HeadgateError("option-invalid", "createConsole needs a collector, from createCollector.");
  }
  if (path !== undefined && !/^(\/[\w.~-]+)+$/.test(path)) {
    throw new HeadgateError(
      "option-invalid",
      `path of createConsole must begin with a slash and not end with one, such as /operator; got ${JSON.stringify(path)}.`,
    );
  }
}

const saidOf = {
  reset: (of: string) => `${of} has the full quota again.`,
  end: (of: string) => `${of} has the usual limits again.`,
  block: (of: string) => `${of} is blocked.`,
  override: (of: string) => `${of} has other limits now.`,
};

/** @param refusals the newest first */
function lastOfEach(refusals: readonly RefusalRecord[]): RefusalRecord[] {
  const shown = new Map<string, number>();
  return refusals.filter(({ limiter }) => {
    const count = (shown.get(limiter) ?? 0) + 1;
    shown.set(limiter, count);
    return count <= MOST_SHOWN_REFUSALS;
  });
}

function viewOf({ process, limiters }: Summary, ageMs: number, state: ProcessView["state"]): ProcessView {
  return { ...process, ageMs, state, limiters };
}

function notFound(): Response {
  return problem(404, "Not found", "There is no such page.");
}

function unauthorized(): Response {
  return problem(401, "Not signed in", "Only operators see this.");
}

function refused(attempt: Refused, request: Request): Response {
  const { status, headers, body } = refusal(attempt);
  return text(body, "application/problem+json", {
    status,
    headers: { ...headers, ...(request.body === null ? {} : { Connection: "close" }) },
  });
}

/** Addresses are relative, so that they work behind any proxy prefix. */
async function page(path: string, place: string, title: string): Promise<Response> {
  const { script, style } = await files();
  const base = place === "" ? `${path.slice(path.lastIndexOf("/") + 1)}/` : "";
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>Operator · ${escaped(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}assets/${style.name}">
<script type="module" src="${base}assets/${script.name}"></script>
</head>
<body>
<div id="console"></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`;
  return text(html, "text/html; charset=utf-8", { headers: { "Cache-Control": "no-cache" } });
}

interface File {
  name: string;
  body: string;
  type: string;
}

let made: Promise<{ script: File; style: File }> | undefined;

/** Named by their content, so that browsers can cache them for ever. */
function files(): Promise<{ script: File; style: File }> {
  made ??= (async () => {
    const { script, style } = await pageFiles();
    return {
      script: {
        name: `console-${await digest(script)}.js`,
        body: script,
        type: "text/javascript; charset=utf-8",
      },
      style: { name: `console-${await digest(style)}.css`, body: style, type: "text/css; charset=utf-8" },
    };
  })();
  return made;
}

async function asset(name: string): Promise<Response> {
  const { script, style } = await files();
  const file = [script, style].find((one) => one.name === name);
  if (file === undefined) return notFound();
  return text(file.body, file.type, {
    headers: { "Cache-Control": "public, max-age=31536000, immutable" },
  });
}

async function digest(body: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
  return [...bytes.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
