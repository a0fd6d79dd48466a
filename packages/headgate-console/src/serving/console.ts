import { type Clock, HeadgateError, type Refused } from "headgate";
import { boundedJson, JsonBodyError, refusal } from "headgate/http";
import type { Collector } from "../counting/collector.ts";
import type { StoredSummary } from "../counting/summary.ts";
import { checkNames } from "../options.ts";
import { PolicyConflict, type PolicyDesk } from "../policies/policy-desk.ts";
import { LONGEST_POLICY } from "../policies/read-policy.ts";
import { createActions } from "./actions.ts";
import { changesOf, exportChanges } from "./changes.ts";
import { type CallerDesk, type CreditDesk, OperatorMistake } from "./desk.ts";
import type { Operator, SignIn } from "./operator-token.ts";
import { readSignIn } from "./orders.ts";
import { asset, page } from "./page.ts";
import { policiesNow } from "./policy-actions.ts";
import { json, notFound, problem, text, unauthorized } from "./responses.ts";
import { isFromOwnPage } from "./same-origin.ts";
import { readSummaries } from "./summaries.ts";
import { createTraffic } from "./traffic.ts";
import type { Features, Link, Session } from "./view.ts";

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
  /** Lets the page ask for a token: pass the result of `operatorToken`. */
  signIn?: SignIn<Given>;
  /** Another place to sign in, shown to visitors who are not operators. */
  link?: Link;
  /**
   * Returns the stored summaries of the other processes; summaries of this process are ignored. Default: the page shows
   * only this process, and says so.
   */
  others?: () => Promise<readonly StoredSummary[]>;
  /** Actions for callers. Default: none. */
  callers?: CallerDesk;
  /** Actions for credit. Default: none. */
  credit?: CreditDesk;
  /** Actions for policies: pass the result of `livePolicies`. Default: the page only shows policies. */
  policies?: PolicyDesk;
  /** The path at which the console is mounted. Default: `/operator`. */
  path?: string;
  /** The origin that browsers use, if a proxy changes `Host`, such as `https://chat.example.com`. */
  origin?: string;
  /** The page's title. Default: "Headgate". */
  title?: string;
  /**
   * Returns a sentence for the operator if an error means that a dependency is unavailable, such as "The database
   * cannot be reached." The response is then a 503. For other errors it returns `undefined`, and the response is a 500.
   * `onError` gets both kinds of errors. Default: always `undefined`.
   */
  unavailable?: (error: unknown) => string | undefined;
  /** Called with unexpected errors. Default: logs them to the console. */
  onError?: (error: unknown) => void;
  /** The source of the time. Default: the wall clock. */
  clock?: Pick<Clock, "now">;
}

/** Answers a request below the console's path. It never rejects. */
export type ConsoleHandler<Given extends readonly unknown[] = []> = (
  request: Request,
  ...given: Given
) => Promise<Response>;

const MOST_SHOWN_CHANGES = 200;
const LONGEST_QUERY = 300;
const BODY = { bytes: 8_192, depth: 3, nodes: 40, stringLength: 2_048 };
/** The limits of a request body with a policy, which is a string within the JSON. */
const POLICY_BODY = { bytes: 262_144, depth: 3, nodes: 40, stringLength: 2 * LONGEST_POLICY };

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
  const { limiters } = collector;
  const readsOthers = options.others !== undefined;
  const summaries = () => readSummaries(collector, options.others);
  const traffic = createTraffic({ limiters, summaries, readsOthers, callers, credit, clock });
  const actions = createActions({ callers, credit, policies });

  async function read(place: string, url: URL): Promise<Response | undefined> {
    if (place === "/api/now") return json(await traffic.now());
    if (place === "/api/policies") return json(await policiesNow(policies, limiters, summaries, readsOthers));
    if (place === "/api/changes") return json(await changesOf(callers, policies, MOST_SHOWN_CHANGES));
    if (place === "/api/export") return exportChanges(callers, policies, url.searchParams.get("format"));
    if (place !== "/api/find") return undefined;
    const query = url.searchParams.get("q")?.trim() ?? "";
    if (query === "" || query.length > LONGEST_QUERY)
      return problem(400, "Invalid request", `q must be 1 to ${LONGEST_QUERY} characters.`);
    return json(await traffic.find(query));
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

function refused(attempt: Refused, request: Request): Response {
  const { status, headers, body } = refusal(attempt);
  return text(body, "application/problem+json", {
    status,
    headers: { ...headers, ...(request.body === null ? {} : { Connection: "close" }) },
  });
}
