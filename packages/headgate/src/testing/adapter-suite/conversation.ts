import type { Admission } from "../../core/admission.ts";
import type { LayerOptions } from "../../core/policy.ts";
import type { Store } from "../../core/store.ts";
import type { Limiter } from "../../limiter/contract.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { AdapterSuiteError } from "./expect.ts";
import type { AdapterAnswer, AdapterCaller, AdapterGuard, AdapterSuiteOptions, ReadField } from "./index.ts";

/** A named test of several requests. */
export interface Conversation {
  readonly name: string;
  run(serve: AdapterSuiteOptions["serve"]): Promise<void>;
}

/** How a conversation is set up. The default limit is two requests a minute for each user. */
export interface Setting {
  layers?: readonly LayerOptions<AdapterCaller>[];
  /** Makes the store. Default: a memory store. */
  store?: () => Store;
  options?: Partial<AdapterGuard["options"]>;
  fieldsBefore?: Readonly<Record<string, string>>;
  /** Guards after the first one. */
  inside?: (limiter: Limiter<AdapterCaller>) => readonly AdapterGuard[];
  answer?: (admission: Admission | undefined, body: string) => AdapterAnswer | Promise<AdapterAnswer>;
  /** Replaces methods of the limiter, to make it fail. */
  spoil?: (limiter: Limiter<AdapterCaller>) => Partial<Limiter<AdapterCaller>>;
}

export interface Sent {
  method?: string;
  /** The user who sends the request. Default: "a". */
  user?: string | null;
  address?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Aborts the request. */
  signal?: AbortSignal;
}

/** The parts of a response that must be the same everywhere. */
export interface Reply {
  readonly status: number;
  /** The guard's fields that are present. */
  readonly fields: Readonly<Record<string, string>>;
  /** All response headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The tools of a running conversation. */
export interface Dialogue {
  readonly clock: FakeClock;
  readonly limiter: Limiter<AdapterCaller>;
  /** The errors reported to `onError`. */
  readonly errors: readonly unknown[];
  /** The admissions that middleware before the guards received. */
  readonly observed: readonly (Admission | undefined)[];
  /** How often the handler was reached. */
  readonly answered: () => number;
  /** Sends a request and reads the whole response. */
  send(sent?: Sent): Promise<Reply>;
  /** Sends a request without reading the response body. */
  open(sent?: Sent): Promise<Response>;
}

const guardFields = [
  "Access-Control-Expose-Headers",
  "Cache-Control",
  "RateLimit",
  "RateLimit-Limit",
  "RateLimit-Policy",
  "RateLimit-Remaining",
  "RateLimit-Reset",
  "Retry-After",
  "Vary",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
];

/** The time limit of a test: if a server never answers, the test must fail, not hang. */
const patienceMs = 20_000;

/** Waits until a condition is true. For events whose time the server decides, such as noticing a hang-up. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new AdapterSuiteError(`${what}: did not happen within ${patienceMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Reads the caller from the suite's requests. */
export function caller(read: ReadField): AdapterCaller {
  return { user: read("x-user") ?? null, address: read("x-address") ?? null };
}

export const hello: AdapterAnswer = { status: 200, headers: { "X-Own": "kept" }, body: "hello" };

/** Creates a conversation. Each run starts and closes a server. */
export function conversation(
  name: string,
  setting: Setting,
  talk: (dialogue: Dialogue) => Promise<void>,
): Conversation {
  return {
    name,
    async run(serve) {
      const clock = fakeClock();
      const errors: unknown[] = [];
      const limiter = createLimiter<AdapterCaller>({
        name: "chat",
        layers: setting.layers ?? [{ name: "user", key: ({ user }) => user, limits: "2/minute" }],
        ...(setting.store === undefined ? {} : { store: setting.store() }),
        clock,
        onError: (error) => errors.push(error),
        onOutage: () => {},
        onWarning: () => {},
      });
      const spoilt = { ...limiter, ...setting.spoil?.(limiter) };
      let answered = 0;
      const observed: (Admission | undefined)[] = [];
      const { origin, close } = await serve({
        guards: [
          { limiter: spoilt, options: { caller, ...setting.options } },
          ...(setting.inside?.(spoilt) ?? []),
        ],
        fieldsBefore: setting.fieldsBefore ?? {},
        answer(admission, body) {
          answered += 1;
          return setting.answer?.(admission, body) ?? hello;
        },
        observe: (admission) => void observed.push(admission),
      });
      const open = (sent: Sent = {}) => request(origin, sent);
      const send = async (sent?: Sent) => replyOf(await open(sent));
      try {
        await talk({ clock, limiter, errors, observed, answered: () => answered, send, open });
      } finally {
        await close();
        await limiter.close();
      }
    },
  };
}

function request(origin: string, sent: Sent): Promise<Response> {
  const { method = "GET", user = "a", address, headers, body } = sent;
  return fetch(`${origin}/`, {
    method,
    redirect: "manual",
    signal: AbortSignal.any([
      AbortSignal.timeout(patienceMs),
      ...(sent.signal === undefined ? [] : [sent.signal]),
    ]),
    headers: {
      ...(user === null ? {} : { "X-User": user }),
      ...(address === undefined ? {} : { "X-Address": address }),
      ...(body === undefined ? {} : { "Content-Type": "text/plain" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
}

/** Reads a response to its end. */
export async function replyOf(response: Response): Promise<Reply> {
  const fields: Record<string, string> = {};
  for (const name of guardFields) {
    const value = response.headers.get(name);
    if (value !== null) fields[name] = value;
  }
  return {
    status: response.status,
    fields,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}
