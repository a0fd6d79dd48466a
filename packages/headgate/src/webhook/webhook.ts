import type { Admission, LimitReading } from "../core/admission.ts";
import { inBackground } from "../core/background.ts";
import { type Clock, monotonic } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import { fingerprint } from "../core/fingerprint.ts";
import { nearFrom, shareUsed } from "../core/near.ts";
import { checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import type { Store } from "../core/store.ts";
import { checkClock } from "../limiter/checks.ts";
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
   * What messages are signed with: `whsec_` and then the base64 of 24 to 64 random bytes, as Standard Webhooks takes it. Make one
   * with `echo "whsec_$(openssl rand -base64 32)"`.
   */
  secret: string;
  /** From this share of a limit on a caller is near it: above 0, up to 1; 0.8 by default. */
  from?: number;
  /**
   * Where it is counted that a notice was sent: a URI or a store, as `createLimiter` takes it. Give it the store of the limiter, and a notice is
   * sent once a window by all processes together. Default: each process counts for itself.
   */
  store?: string | Store;
  /** Called when a message was given up, and when the store fails. Default: the console, each kind at most once a minute. */
  onError?: (error: unknown) => void;
  /** For tests. Default: this process's. */
  clock?: Clock;
  /** For tests, or to send by other means. Default: the runtime's `fetch`. */
  fetch?: typeof fetch;
}

/** How a webhook is doing. */
export interface WebhookStatus {
  /** Notices that wait to be sent. */
  readonly waiting: number;
  readonly sent: number;
  /** Notices that were lost: too many waited, or the receiver took none of five attempts. */
  readonly dropped: number;
}

export interface Webhook {
  status(): WebhookStatus;
  /** Notes nothing more, and sends what waits, once, for up to 5 seconds. Never rejects. */
  close(): Promise<void>;
}

/** That a caller is near a limit, or over it. As it is sent. */
export interface NearNotice {
  readonly at: string;
  readonly outcome: "near" | "refused";
  readonly layer: string;
  /** As the `RateLimit` fields name it: `user-per-minute`. */
  readonly limit: string;
  readonly unit: string;
  readonly quota: number;
  readonly remaining: number;
  readonly window_seconds: number;
  /** The caller's key in the layer. It may be personal. */
  readonly key: string;
  readonly plan?: string;
}

const options = ["url", "secret", "from", "store", "onError", "clock", "fetch"];
/** What a limiter takes as a key. */
const longestKey = 1024;

/**
 * Sends a signed webhook when a caller comes near a limit: once for each caller and limit in each window of the limit.
 *
 * ```ts
 * const notices = webhook(limiter, {
 *   url: "https://example.com/hooks/limits",
 *   secret: process.env.WEBHOOK_SECRET ?? "",
 *   store: "redis://localhost:6379",
 * });
 * ```
 *
 * No decision waits for it. Places of `concurrent` limits are taken and given back all the time, and send nothing.
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
  /** One notice in a window, for each caller and limit: which is a limit itself. */
  const once = createLimiter<Told>({
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
  /** Another webhook of the limiter may share the store, and sends notices of its own. */
  const sender = fingerprint(`${from} ${url.href}`);
  const asking = new Set<Promise<void>>();

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
      // Another process sent it, and this window ends before one that began now.
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
    const answered: Promise<void> = asked.then(answer, onError).finally(() => asking.delete(answered));
    asking.add(answered);
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
      await Promise.all(asking);
      await delivery.close();
      await once.close();
    },
  };
}

/** A caller and a limit, and its window. */
interface Told {
  readonly key: string;
  readonly windowMs: number;
}

function read(given: WebhookOptions) {
  if (typeof given !== "object" || given === null)
    fail(`webhook takes a limiter and an object such as { url, secret }; it got ${show(given)}.`);
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
    fail("url must be an address such as https://example.com/hooks/limits, without a password.");
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
  fail(`webhook takes a limiter and an object such as { url, secret }; the limiter is ${show(limiter)}.`);
}

/** Which of its windows: fixed ones end for all at once, and the next may begin soon after a notice. */
function windowOf({ algorithm, resetMs }: LimitReading, { admission }: DecisionEvent): string {
  return algorithm === "fixed-window" ? `${Math.round((admission.at + resetMs) / 1000)}/` : "";
}

/** A key that a limiter takes in place of a longer one. No other begins with "#". */
async function digest(text: string): Promise<string> {
  // As JSON, because UTF-8 has one replacement for all lone surrogates.
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
