import { type Clock, checkClock } from "../../core/clock.ts";
import { HeadgateError } from "../../core/errors.ts";
import { checkOptions } from "../../core/options.ts";
import { show } from "../../core/show.ts";
import type { Outcome, Store } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { type Message, readOutcome, writeMessage } from "./message.ts";

export { LimiterObject, type LimiterObjectState, type LimiterStorage } from "./object.ts";

/** The parts of a binding that the store uses. `DurableObjectNamespace` of the Workers runtime has them. */
export interface LimiterNamespace {
  idFromName(name: string): object;
  get(id: object): LimiterStub;
}

/** Sends requests to one object. */
export interface LimiterStub {
  fetch(
    url: string,
    init: { method: "POST"; body: string },
  ): Promise<{ readonly ok: boolean; readonly status: number; text(): Promise<string> }>;
}

export interface DurableObjectStoreOptions {
  /**
   * The name of the object that keeps the counts. Default: the limiter's name, so that each limiter has its own object.
   * Limiters with the same object share its speed, but not their counts.
   */
  object?: string;
  /** The clock that decides instead of the object's own, for tests only. Its time is sent with every call. */
  clock?: Clock;
}

/** Counts in a Durable Object, shared by every Worker that binds the same namespace. */
export interface DurableObjectStore extends Store {
  readonly name: "durable-object";
  readonly remote: true;
  check(): Promise<void>;
}

/**
 * Counts in a Durable Object of Cloudflare's Workers: one object decides a whole request, over all its layers, in one
 * call. The Worker exports `LimiterObject` and binds it.
 *
 * ```ts
 * durableObjectStore(env.LIMITER);
 * ```
 *
 * @throws HeadgateError `store-invalid` or `option-invalid`, naming the value and what is expected.
 */
export function durableObjectStore(
  namespace: LimiterNamespace,
  options: DurableObjectStoreOptions = {},
): DurableObjectStore {
  checkNamespace(namespace);
  checkOptions("durableObjectStore", options, ["object", "clock"], "option-invalid");
  const { object, clock } = options;
  if (clock !== undefined) checkClock(clock);
  if (object !== undefined && (typeof object !== "string" || object === "")) {
    throw new HeadgateError("option-invalid", `object must be a name, got ${show(object)}.`);
  }
  const objectOf = ({ space }: { readonly space: string }) => object ?? limiterOf(space);
  const time = () => (clock === undefined ? 0 : Math.floor(clock.now()));

  /** A stub belongs to the request that made it, so each call creates a stub. */
  async function ask(name: string, message: Message): Promise<Outcome> {
    let answer: Awaited<ReturnType<LimiterStub["fetch"]>>;
    let text: string;
    try {
      const stub = namespace.get(namespace.idFromName(name));
      answer = await stub.fetch("https://headgate.invalid/", { method: "POST", body: writeMessage(message) });
      text = await answer.text();
    } catch (error) {
      throw unreached(name, error);
    }
    if (answer.ok) return readOutcome(text);
    throw new Error(`The Durable Object "${name}" answered ${answer.status}: ${text.slice(0, 500)}`);
  }

  return {
    name: "durable-object",
    remote: true,
    claims: true,

    async decide(parts, now, peek, hold, claim) {
      const [first] = parts;
      if (first === undefined) return nothing(now);
      const name = objectOf(first);
      if (parts.some((part) => objectOf(part) !== name)) {
        throw new Error(
          "A request is decided by one Durable Object: its charges belong to several limiters.",
        );
      }
      return ask(name, { do: peek ? "peek" : "decide", at: time(), parts, hold, claim });
    },

    async adjust(parts, now) {
      if (parts.length === 0) return nothing(now);
      const shares = byObject(parts, objectOf);
      const outcomes = await Promise.all(
        shares.map(({ name, parts: share }) => ask(name, { do: "adjust", at: time(), parts: share })),
      );
      return joined(
        shares.map(({ places }) => places),
        outcomes,
      );
    },

    async reset(parts) {
      const shares = byObject(parts, objectOf);
      await Promise.all(
        shares.map(({ name, parts: share }) => ask(name, { do: "reset", at: time(), parts: share })),
      );
    },

    async override(parts, terms) {
      const shares = byObject(parts, objectOf);
      await Promise.all(
        shares.map(({ name, parts: share }) =>
          ask(name, { do: "override", at: time(), parts: share, terms }),
        ),
      );
    },

    async check() {
      await ask(object ?? "headgate", { do: "check", at: 0, parts: [] });
    },
  };
}

/** Names of limiters and layers cannot contain the slash between them. */
function limiterOf(space: string): string {
  const end = space.indexOf("/");
  return end < 0 ? space : space.slice(0, end);
}

interface Share<Part> {
  readonly name: string;
  readonly parts: Part[];
  /** The indexes of the parts in the whole list. */
  readonly places: number[];
}

function byObject<Part>(parts: readonly Part[], objectOf: (part: Part) => string): Share<Part>[] {
  const shares = new Map<string, Share<Part>>();
  for (const [place, part] of parts.entries()) {
    const name = objectOf(part);
    const share = shares.get(name) ?? { name, parts: [], places: [] };
    share.parts.push(part);
    share.places.push(place);
    shares.set(name, share);
  }
  return [...shares.values()];
}

/** Joins the outcomes of several objects, in the order of the question. */
function joined(places: readonly (readonly number[])[], outcomes: readonly Outcome[]): Outcome {
  const readings: Outcome["readings"][number][] = [];
  const marks: Outcome["marks"][number][] = [];
  for (const [o, outcome] of outcomes.entries()) {
    for (const [i, place] of (places[o] ?? []).entries()) {
      readings[place] = outcome.readings[i] ?? [];
      marks[place] = outcome.marks[i] ?? [];
    }
  }
  return { admitted: true, now: Math.max(...outcomes.map(({ now }) => now)), readings, marks };
}

/** If an object was overloaded, the runtime's error says that it was not called. After any other error, the call may have been applied. */
function unreached(name: string, error: unknown): Error {
  const { message, overloaded } = (error ?? {}) as { message?: unknown; overloaded?: unknown };
  const fault = new Error(`The Durable Object "${name}" could not be asked: ${String(message ?? error)}`);
  return overloaded === true ? fault : inDoubt(fault);
}

function nothing(now: number): Outcome {
  return { admitted: true, now, readings: [], marks: [] };
}

function checkNamespace(namespace: unknown): void {
  const has = (name: string) =>
    typeof (namespace as Record<string, unknown> | null | undefined)?.[name] === "function";
  if (has("idFromName") && has("get")) return;
  throw new HeadgateError(
    "store-invalid",
    "durableObjectStore takes the binding of a Durable Object namespace, such as env.LIMITER, got " +
      `${show(namespace)}. Bind LimiterObject in wrangler's durable_objects.`,
  );
}
