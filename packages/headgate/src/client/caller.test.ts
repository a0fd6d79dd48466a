import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeClock } from "../testing/index.ts";
import { type Client, createClient, RateLimitedError } from "./index.ts";

const clients: Client[] = [];
let stored: Map<string, string>;
let clock: ReturnType<typeof fakeClock>;

const refused = (seconds: number) =>
  Response.json(
    { detail: "Slow down." },
    { status: 429, headers: { "Retry-After": `${seconds}`, RateLimit: '"user-per-minute";r=0;t=42' } },
  );

/** Loads a page: returns its new client. */
function load(answer: () => Response | Promise<Response> = () => refused(42)): Client {
  const client = createClient({ share: "caller-test", clock, fetch: async () => answer() });
  clients.push(client);
  client.subscribe(() => {});
  return client;
}

const send = (client: Client) => client.fetch("https://chat.example/").catch((error: unknown) => error);

async function heard(is: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(is()).toBe(true));
}

beforeEach(() => {
  clock = fakeClock(1_000_000);
  stored = new Map();
  vi.stubGlobal("document", {});
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  vi.unstubAllGlobals();
});

describe("through a reload", () => {
  it("the refusal keeps its deadline and message", async () => {
    await send(load());
    clock.advance(10_000);
    const after = load().refusal();
    expect(after).toBeInstanceOf(RateLimitedError);
    expect(after).toMatchObject({
      deadline: 1_042_000,
      message: "Slow down.",
      status: 429,
      response: undefined,
    });
  });

  it("an expired refusal is dropped", async () => {
    await send(load());
    clock.advance(42_000);
    expect(load().refusal()).toBeUndefined();
  });

  it("a clock that was set back does not lengthen the wait", async () => {
    await send(load());
    clock.set(5_000);
    expect(load().refusal()?.deadline).toBe(47_000);
  });

  it("a cleared refusal stays cleared, in every tab", async () => {
    const [first, second] = [load(), load()];
    await send(first);
    await heard(() => second.refusal() !== undefined);
    second.clear();
    await heard(() => first.refusal() === undefined);
    expect(load().refusal()).toBeUndefined();
  });

  it.each([
    "",
    "x",
    "null",
    "[]",
    "{}",
    '{"refusal":null}',
    '{"refusal":{"deadline":"soon","retryAfterMs":{}}}',
  ])("a stored %j is ignored", (text) => {
    stored.set("caller-test.refusal", text);
    expect(load().refusal()).toBeUndefined();
  });

  it("the client works if storage is blocked or full", async () => {
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new DOMException("blocked", "SecurityError");
      },
      setItem: () => {
        throw new DOMException("full", "QuotaExceededError");
      },
    });
    const client = load();
    await send(client);
    expect(client.refusal()).toBeDefined();
  });

  it("nothing is stored with share: false or outside a page", async () => {
    await send(createClient({ share: false, clock, fetch: async () => refused(42) }));
    vi.stubGlobal("document", undefined);
    await send(load());
    expect(stored.size).toBe(0);
  });
});

describe("another caller", () => {
  it("has neither the refusal nor the quota of the previous caller, in any tab and after a reload", async () => {
    const [first, second] = [load(), load()];
    first.setCaller("ada");
    await send(first);
    await heard(() => second.refusal() !== undefined);

    first.setCaller("bob");
    expect([first.refusal(), first.quota()]).toEqual([undefined, undefined]);
    await heard(() => second.caller() === "bob");
    expect([second.refusal(), second.quota()]).toEqual([undefined, undefined]);
    expect(load().refusal()).toBeUndefined();
  });

  it("is distinguished from the caller who was refused before the reload", async () => {
    const before = load();
    before.setCaller("ada");
    await send(before);
    const same = load();
    same.setCaller("ada");
    expect(same.refusal()).toBeDefined();
    const other = load();
    other.setCaller("bob");
    expect(other.refusal()).toBeUndefined();
  });

  it("does not get the refusal or quota of a late response to the previous caller", async () => {
    let answer = (_: Response) => {};
    const client = load(
      () =>
        new Promise<Response>((resolve) => {
          answer = resolve;
        }),
    );
    client.setCaller("ada");
    const sending = send(client);
    client.setCaller("bob");
    answer(refused(42));
    expect(await sending).toBeInstanceOf(RateLimitedError);
    expect([client.refusal(), client.quota()]).toEqual([undefined, undefined]);
    expect(stored.size).toBe(0);
  });

  it("who is the first to be set owns an earlier refusal", async () => {
    const client = load();
    await send(client);
    client.setCaller("ada");
    expect(client.refusal()).toBeDefined();
    const later = load();
    later.setCaller("bob");
    expect(later.refusal()).toBeUndefined();
  });

  it("ignores messages from a tab with the previous caller", async () => {
    const [ada, bob, witness] = [load(), load(() => refused(7)), load()];
    // A tab that missed the change, for example because it was asleep.
    bob.setCaller("bob");
    await heard(() => ada.caller() === "bob");
    ada.close();
    const asleep = new BroadcastChannel("caller-test");
    asleep.postMessage({
      headgate1: { caller: "ada", refusal: { deadline: 9e15, retryAfterMs: 1, status: 429 } },
    });
    await send(bob);
    await heard(() => witness.refusal() !== undefined);
    asleep.close();
    expect(witness.refusal()?.deadline).toBe(1_007_000);
  });
});
