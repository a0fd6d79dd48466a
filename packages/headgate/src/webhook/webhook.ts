import type { Admission, LimitReading } from "../core/admission.ts";
import { inBackground } from "../core/background.ts";
import { type Clock, checkClock, monotonic } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import { fingerprint } from "../core/fingerprint.ts";
import { nearFrom, shareUsed } from "../core/near.ts";
import { checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import type { Store } from "../core/store.ts";
import { systemClock } from "../limiter/clock.ts";
import type { DecisionEvent, Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { guarded, reportOnConsole } from "../limiter/reporting.ts";
import { createDelivery } from "./delivery.ts";
import { createKnown } from "./known.ts";
import { createSigner } from "./signature.ts";

export interface WebhookOptions {
  /** Where notices are sent: `https:`, or `http:`. Redirects are not followed. */
  url: string | URL;
  /**
   * The secret that signs messages, in the format of Standard Webhooks: `whsec_` followed by the base64 of 24 to 64
   * random bytes. Create one with `echo "whsec_$(openssl rand -base64 32)"`.
   */
  secret: string;
  /** The used share of a limit from which a caller is near it: above 0, up to 1. Default: 0.8. */
  from?: number;
  /**
   * Where sent notices are counted: a URI or a store, as in `createLimiter`. With the limiter's store, all processes
   * together send a notice once per window. Default: each process counts for itself.
   */
  store?: string | Store;
  /**
   * Called when a message is dropped and when the store fails. Default: the console, each kind at most once a minute.
   */
  onError?: (error: unknown) => void;
  /** The clock, for tests. Default: the system clock. */
  clock?: Clock;
  /** The function that sends messages, for tests or to send in another way. Default: the runtime's `fetch`. */
  fetch?: typeof fetch;
}

/** The state of a webhook. */
export interface WebhookStatus {
  /** Notices that wait to be sent. */
  readonly waiting: number;
  readonly sent: number;
  /** Notices that were lost: too many were waiting, or the receiver accepted none of five attempts. */
  readonly dropped: number;
}

export interface Webhook {
  status(): WebhookStatus;
  /** Stops collecting notices and tries once to send those that wait, for up to 5 seconds. Never rejects. */
  close(): Promise<void>;
}

/** The notice that a caller is near or over a limit, as it is sent. */
export interface NearNotice {
  readonly at: string;
  readonly outcome: "near" | "refused";
  readonly layer: string;
  /** The name in the `RateLimit` fields, such as `user-per-minute`. */
  readonly limit: string;
  readonly unit: string;
  readonly quota: number;
  readonly remaining: number;
  readonly window_seconds: number;
  /** The caller's key in the layer. It may be personal data. */
  readonly key: string;
  readonly plan?: string;
}

const options = ["url", "secret", "from", "store", "onError", "clock", "fetch"];
/** The longest key that a limiter accepts. */
const longestKey = 1024;

/**
 * Sends a signed webhook when a caller comes near a limit: one notice per caller, limit and window.
 *
 * ```ts
 * const notices = webhook(limiter, {
 *   url: "https://example.com/hooks/limits",
 *   secret: process.env.WEBHOOK_SECRET ?? "",
 *   store: "redis://localhost:6379",
 * });
 * ```
 *
 * Decisions never wait for the webhook. `concurrent` limits cause no notices, because their places are taken and freed
 * all the time.
 *
 * @throws HeadgateError `option-invalid`
 */
export function webhook(limiter: Pick<Limiter<never>, "name" | "observe">, given: WebhookOptions): Webhook {
  checkLimiter(limiter);
  const { url, signer, from, store, onError, clock, wallNow, fetch } = read(given);
  const delivery = createDelivery<NearNotice>({
    url,
    signer,
    clock,
    wallNow,
    fetch,
    onError,
    bodyOf: (notices, dropped) => ({
      type: "limit.near",
      timestamp: new Date(wallNow()).toISOString(),
      data: { limiter: limiter.name, notices, dropped },
    }),
  });
  /** Admits one notice per caller, limit and window. */
  const once = createLimiter<NoticeKey>({
    name: `${limiter.name}.webhook`,
    layers: [
      {
        name: "notice",
        key: ({ key }) => key,
        limits: ({ windowMs }) => `1/${Math.ceil(windowMs / 1000)} seconds`,
        defaultLimits: "1/minute",
        units: ["requests"],
      },
    ],
    ...(store === undefined ? {} : { store }),
    ...(given.clock === undefined ? {} : { clock }),
    onError,
  });
  const known = createKnown();
  /** Identifies this webhook: another webhook of the same limiter may share the store, and must count separately. */
  const sender = fingerprint(`${from} ${url.href}`);
  const pending = new Set<Promise<void>>();

  function notice(limit: LimitReading, event: DecisionEvent): void {
    const { windowMs } = limit;
    const { key = "", plan } = event.partitions.find(({ layer }) => layer === limit.layer) ?? {};
    const whose = `${sender}/${limit.layer}/${limit.name}/${windowOf(limit, event)}${key}`;
    const now = clock.now();
    if (known.has(whose, now)) return;
    known.add(whose, now + windowMs);
    const item: NearNotice = {
      at: new Date(event.at).toISOString(),
      outcome: limit.refused ? "refused" : "near",
      layer: limit.layer,
      limit: limit.name,
      unit: limit.unit,
      quota: limit.quota,
      remaining: limit.remaining,
      window_seconds: limit.windowMs / 1000,
      key,
      ...(plan === undefined ? {} : { plan }),
    };

    function answer(admission: Admission): void {
      if (admission.admitted) delivery.add(item);
      // Another process has already sent the notice, so the notice's window ends sooner than one that begins now.
      else known.add(whose, clock.now() + Math.min(windowMs, admission.retryAfterMs));
    }

    const asked =
      whose.length > longestKey
        ? digest(whose).then((short) => once.admit({ key: short, windowMs }))
        : once.admit({ key: whose, windowMs });
    if (!(asked instanceof Promise)) {
      answer(asked);
      return;
    }
    const answered: Promise<void> = asked.then(answer, onError).finally(() => pending.delete(answered));
    pending.add(answered);
  }

  const stop = limiter.observe({
    decided(event) {
      for (const limit of event.admission.limits) {
        if (limit.algorithm === "concurrent" || limit.windowMs === 0) continue;
        if (shareUsed(limit) >= from) notice(limit, event);
      }
    },
  });
  return {
    status: () => ({ waiting: delivery.waiting, sent: delivery.sent, dropped: delivery.dropped }),
    async close() {
      stop();
      await Promise.all(pending);
      await delivery.close();
      await once.close();
    },
  };
}

/** A caller and a limit, and the limit's window. */
interface NoticeKey {
  readonly key: string;
  readonly windowMs: number;
}

function read(given: WebhookOptions) {
  if (typeof given !== "object" || given === null)
    fail(`webhook takes a limiter and an object such as { url, secret }; got ${show(given)}.`);
  checkOptions("webhook", given, options, "option-invalid");
  const {
    secret,
    from = nearFrom,
    store,
    onError = reportOnConsole(),
    clock = systemClock,
    fetch = globalThis.fetch,
  } = given;
  const isAddress = typeof given.url === "string" || given.url instanceof URL;
  const url = isAddress && URL.canParse(String(given.url)) ? new URL(given.url) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    fail(`url must be an address such as https://example.com/hooks/limits, got ${show(given.url)}.`);
  if (url?.username !== "" || url.password !== "")
    fail("url must be an address such as https://example.com/hooks/limits, without a password or user name.");
  if (!(typeof from === "number" && from > 0 && from <= 1))
    fail(`from must be a share above 0 and up to 1, such as 0.8; got ${show(from)}.`);
  for (const [name, value] of Object.entries({ onError, fetch }))
    if (typeof value !== "function") fail(`${name} must be a function, got ${show(value)}.`);
  const passing = withTimers(monotonic(checkClock(clock)));
  return {
    url: url as URL,
    signer: createSigner(secret),
    from,
    store,
    onError: guarded(onError),
    clock: passing,
    wallNow: given.clock === undefined ? () => Date.now() : () => passing.now(),
    fetch,
  };
}

function checkLimiter(limiter: unknown): void {
  const { name, observe }: { name?: unknown; observe?: unknown } = Object(limiter);
  if (typeof name === "string" && typeof observe === "function") return;
  fail(
    `webhook takes a limiter and an object such as { url, secret }; the limiter given is ${show(limiter)}.`,
  );
}

/**
 * Identifies the current window of a fixed-window limit, because the next window may begin soon after a notice, and
 * needs its own. Empty for other algorithms.
 */
function windowOf({ algorithm, resetMs }: LimitReading, { admission }: DecisionEvent): string {
  return algorithm === "fixed-window" ? `${Math.round((admission.at + resetMs) / 1000)}/` : "";
}

/** Replaces a key that is too long for a limiter. No other key begins with "#". */
async function digest(text: string): Promise<string> {
  // Hash JSON, because UTF-8 replaces all unpaired surrogates with the same character.
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(text)));
  return `#${[...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function withTimers(clock: Clock): Clock & Required<Pick<Clock, "after">> {
  const { after } = clock;
  return {
    now: () => clock.now(),
    after: after ?? inBackground,
  };
}

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
