import { describe, expect, it } from "vitest";
import type { Admission, Admitted, Known } from "../core/admission.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { createLimiter } from "./limiter.ts";

const second = 1000;
const hour = 3_600_000;

/** A process that can die: its clock then has no timers, so it sends no heartbeats. */
function chat(limits = "5/hour; 1000 tokens/hour; 10 concurrent", dead = false) {
  const time = fakeClock();
  const clock = dead ? { now: () => time.now() } : time;
  const store = memoryStore();
  const make = () =>
    createLimiter({
      name: "chat",
      clock,
      store,
      units: ["tokens"],
      layers: [
        { name: "user", key: (user: string) => user, limits },
        { name: "all", key: () => "all", limits: "100/hour" },
      ],
      onWarning() {},
    });
  const limiter = make();
  const ask = (id: string, fingerprint = "a", result?: string) =>
    limiter.admit("ann", {
      id,
      fingerprint,
      cost: { tokens: 100 },
      ...(result === undefined ? {} : { result }),
    }) as Admission | Known;
  const left = (layer = "user") => {
    const limits = (limiter.peek("ann") as Admission).limits.filter((limit) => limit.layer === layer);
    return Object.fromEntries(limits.map(({ unit, remaining }) => [unit, remaining]));
  };
  return { clock: time, limiter, make, ask, left };
}

function admitted(answer: Admission | Known): Admitted {
  if (!answer.admitted) throw new Error(`not admitted: ${answer.reason}`);
  return answer;
}

describe("a request with an id", () => {
  it("is admitted and charged once, and is known afterwards", () => {
    const { ask, left } = chat();
    const first = admitted(ask("m1", "a", "stream:7"));
    expect(first.attempt).toBe(1);
    expect(ask("m1")).toEqual({
      admitted: false,
      reason: "known",
      state: "running",
      result: "stream:7",
      at: expect.any(Number),
      decidedBy: "store",
    });
    expect(left()).toEqual({ requests: 4, tokens: 900, concurrent: 9 });
    expect(left("all")).toEqual({ requests: 99 });
    first.end({ tokens: 40 }, { result: "answer:7" });
    expect(ask("m1")).toMatchObject({ state: "done", result: "answer:7" });
    expect(left()).toEqual({ requests: 4, tokens: 960, concurrent: 10 });
  });

  it("has no result unless one was set", () => {
    const { ask } = chat();
    const first = admitted(ask("m1"));
    expect(ask("m1")).toMatchObject({ state: "running", result: undefined });
    first.end();
    expect(ask("m1")).toMatchObject({ state: "done", result: undefined });
  });

  it("with another fingerprint is a conflict, even after the end, and gets no result", () => {
    const { ask } = chat();
    const first = admitted(ask("m1", "a", "stream:7"));
    expect(ask("m1", "b")).toMatchObject({ state: "conflict", result: undefined });
    first.end();
    expect(ask("m1", "b")).toMatchObject({ state: "conflict" });
  });

  it("does not affect another caller with the same id", () => {
    const { limiter, ask } = chat();
    admitted(ask("m1"));
    expect(limiter.admit("bob", { id: "m1" })).toMatchObject({ admitted: true });
    expect(ask("m2")).toMatchObject({ admitted: true });
  });

  it("is answered before the limits are checked, unless the first attempt was refused", () => {
    const { limiter } = chat("1/hour");
    const first = admitted(limiter.admit("ann", { id: "m1" }) as Admission);
    expect(limiter.admit("ann", { id: "m2" })).toMatchObject({ reason: "quota-exceeded" });
    expect(limiter.admit("ann", { id: "m2" })).toMatchObject({ reason: "quota-exceeded" });
    expect(limiter.admit("ann", { id: "m1" })).toMatchObject({ reason: "known", state: "running" });
    first.end();
    expect(limiter.admit("ann", { id: "m1" })).toMatchObject({ reason: "known", state: "done" });
  });

  it("frees its id by ending with nothing", () => {
    const { ask, left } = chat();
    admitted(ask("m1")).end("nothing");
    expect(left()).toEqual({ requests: 5, tokens: 1000, concurrent: 10 });
    expect(admitted(ask("m1", "b")).attempt).toBe(1);
  });

  it("is known for 24 hours after its end", () => {
    const { clock, ask } = chat();
    admitted(ask("m1")).end();
    clock.advance(24 * hour - 1);
    expect(ask("m1")).toMatchObject({ state: "done" });
    clock.advance(1);
    expect(ask("m1")).toMatchObject({ admitted: true, attempt: 1 });
  });

  it("stays running as long as its process sends heartbeats, even if it holds nothing else", () => {
    const { clock, limiter } = chat("5/hour");
    const first = limiter.admit("ann", { id: "m1" }) as Admitted;
    expect([first.holds, limiter.status().reservations]).toEqual([true, 1]);
    clock.advance(hour / 2);
    expect(limiter.admit("ann", { id: "m1" })).toMatchObject({ state: "running" });
    first.end();
    expect(limiter.status().reservations).toBe(0);
  });
});

describe("a request whose process has died", () => {
  it("is taken over after its lease: it does not pay for the request again, and holds its units again", () => {
    const { clock, ask, left } = chat(undefined, true);
    admitted(ask("m1"));
    clock.advance(30 * second - 1);
    expect(ask("m1")).toMatchObject({ state: "running" });
    clock.advance(1);
    const next = admitted(ask("m1"));
    expect(next.attempt).toBe(2);
    expect(next.granted).toEqual({ requests: 1, tokens: 100, concurrent: 1 });
    expect(left()).toEqual({ requests: 4, tokens: 900, concurrent: 9 });
    next.end({ tokens: 50 });
    expect(left()).toEqual({ requests: 4, tokens: 950, concurrent: 10 });
  });

  it("is taken over even if no request is left, but not if no tokens are left", () => {
    const { clock, limiter } = chat("1/hour; 150 tokens/hour", true);
    const ask = (tokens: number) => limiter.admit("ann", { id: "m1", cost: { tokens } }) as Admission;
    admitted(ask(100));
    clock.advance(30 * second);
    expect(ask(151)).toMatchObject({ admitted: false, reason: "cost-exceeds-quota" });
    expect(ask(150)).toMatchObject({ admitted: true, attempt: 2 });
  });

  it("pays again from the fourth attempt on", () => {
    const { clock, ask, left } = chat(undefined, true);
    const attempts = [1, 2, 3, 4, 5].map(() => {
      const one = admitted(ask("m1")).attempt;
      clock.advance(30 * second);
      return one;
    });
    expect(attempts).toEqual([1, 2, 3, 1, 2]);
    expect(left().requests).toBe(3);
  });

  it("cannot mark its id as done once another has taken over", () => {
    const { clock, ask } = chat(undefined, true);
    const first = admitted(ask("m1"));
    clock.advance(30 * second);
    const next = admitted(ask("m1", "a", "stream:2"));
    first.end(undefined, { result: "late" });
    expect(ask("m1")).toMatchObject({ state: "running", result: "stream:2" });
    first.end("nothing");
    next.end(undefined, { result: "right" });
    expect(ask("m1")).toMatchObject({ state: "done", result: "right" });
  });

  it("can still mark its id as done if nobody has taken over", () => {
    const { clock, ask } = chat(undefined, true);
    const first = admitted(ask("m1"));
    clock.advance(31 * second);
    first.end(undefined, { result: "late" });
    expect(ask("m1")).toMatchObject({ state: "done", result: "late" });
  });

  it("keeps its conflict", () => {
    const { clock, ask } = chat(undefined, true);
    admitted(ask("m1"));
    clock.advance(30 * second);
    expect(ask("m1", "b")).toMatchObject({ state: "conflict" });
  });

  it("leaves its payment to the next attempt if an attempt ends with nothing", () => {
    const { clock, ask, left } = chat(undefined, true);
    admitted(ask("m1"));
    clock.advance(30 * second);
    admitted(ask("m1")).end("nothing");
    expect(left().requests).toBe(4);
    expect(admitted(ask("m1")).attempt).toBe(2);
    expect(left().requests).toBe(4);
  });
});

it("frees the id at once if a request ends unfinished", () => {
  const { ask, left } = chat();
  admitted(ask("m1")).end({ tokens: 10 }, { done: false });
  expect(admitted(ask("m1")).attempt).toBe(2);
  expect(left()).toEqual({ requests: 4, tokens: 890, concurrent: 9 });
});

it("shares ids between limiters with the same name", () => {
  const { ask, make } = chat();
  admitted(ask("m1"));
  expect(make().admit("ann", { id: "m1", fingerprint: "a" })).toMatchObject({ state: "running" });
});

it("reports known requests to observers, but not as decisions", () => {
  const { limiter, ask } = chat();
  const seen: string[] = [];
  limiter.observe({
    decided: ({ admission }) => void seen.push(`decided ${admission.admitted}`),
    known: ({ limiter: name, known }) => void seen.push(`known ${name} ${known.state}`),
  });
  ask("m1");
  ask("m1");
  expect(seen).toEqual(["decided true", "known chat running"]);
});

it("counts known requests in no shadow", () => {
  const { limiter, ask } = chat();
  limiter.setShadow([
    { name: "user", limits: "1/hour" },
    { name: "all", limits: "100/hour" },
  ]);
  ask("m1");
  ask("m1");
  expect(limiter.shadowReport()).toMatchObject({ decisions: 1 });
});

it("keeps an id through an override that the process does not know", () => {
  const { limiter, make } = chat("2/hour");
  limiter.override("ann", { limits: "1/hour", forMs: hour });
  const other = make();
  expect(other.admit("ann", { id: "m1" })).toMatchObject({ admitted: true, attempt: 1 });
  expect(other.admit("ann", { id: "m2" })).toMatchObject({ reason: "quota-exceeded" });
  expect(other.admit("ann", { id: "m1" })).toMatchObject({ state: "running" });
});

it.each([
  [{ id: "" }, "id must be text of 1 to 256 characters"],
  [{ id: "x".repeat(257) }, "id must be text"],
  [{ id: undefined }, "id must be text"],
  [{ fingerprint: "a" }, "id must be text"],
  [{ id: "\ud800" }, "id must be text"],
  [{ id: "m", fingerprint: 7 }, "fingerprint must be text"],
  [{ id: "m", result: "é".repeat(129) }, "result must be text of up to 256 bytes"],
])("refuses %j", (options, message) => {
  const { limiter } = chat();
  expect(() => limiter.admit("ann", options as never)).toThrow(message);
});

it("refuses a result that is too long at the end too", () => {
  const { ask } = chat();
  const first = admitted(ask("m1"));
  expect(() => first.end(undefined, { result: "x".repeat(257) })).toThrow("result must be text");
  expect(() => first.end(undefined, { done: 1 } as never)).toThrow("done must be true or false");
  expect(ask("m1")).toMatchObject({ state: "running" });
});

it("refuses an id if the store cannot keep ids", () => {
  const { claims: _, ...store } = memoryStore();
  const limiter = createLimiter({
    name: "chat",
    store,
    layers: [{ name: "user", key: (user: string) => user, limits: "5/hour" }],
  });
  expect(() => limiter.admit("ann", { id: "m1" })).toThrow('The store "memory" keeps no ids of requests');
});

it("ignores ids if no layer applies", () => {
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "user", key: (): string | null => null, limits: "5/hour" }],
    onWarning() {},
  });
  expect(limiter.admit("ann", { id: "m1" })).toMatchObject({ admitted: true });
  expect(limiter.admit("ann", { id: "m1" })).toMatchObject({ admitted: true });
});

it("ignores ids if the first layer does not apply, because later layers may count different callers together", () => {
  const limiter = createLimiter<string | null>({
    name: "chat",
    layers: [
      { name: "user", key: (user) => user, limits: "5/hour" },
      { name: "all", key: () => "all", limits: "100/hour" },
    ],
  });
  const ask = (user: string | null, result?: string) =>
    limiter.admit(user, { id: "m1", ...(result === undefined ? {} : { result }) }) as Admission | Known;
  expect(admitted(ask(null, "of a stranger")).attempt).toBeUndefined();
  expect(admitted(ask(null)).attempt).toBeUndefined();
  expect(admitted(ask("ann", "of ann")).attempt).toBe(1);
  expect(ask("ann")).toMatchObject({ state: "running", result: "of ann" });
  expect(admitted(ask(null)).attempt).toBeUndefined();
});

describe("a request with an id that waits", () => {
  const asked = { id: "m1", fingerprint: "a", result: "stream 1" };
  const patient = { maxWaitMs: 200_000 };

  it("is admitted and charged once in its turn; the same id behind it is known", async () => {
    const { clock, limiter, left } = chat("1/minute");
    admitted(await limiter.admit("ann"));
    const named = { ...asked, ...patient };
    const waiting = [limiter.wait("ann", named), limiter.wait("ann", named), limiter.wait("ann", patient)];
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    clock.advance(60 * second);
    const [first, next] = await Promise.all(waiting.slice(0, 2));
    expect(first).toMatchObject({ admitted: true, attempt: 1 });
    expect(next).toMatchObject({ reason: "known", state: "running", result: "stream 1" });
    expect(left()).toEqual({ requests: 0 });
    // The waiting request behind it keeps its turn.
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    clock.advance(60 * second);
    expect(await waiting[2]).toMatchObject({ admitted: true });
  });

  it("is known at once, if it need not wait", async () => {
    const { limiter, left } = chat("5/hour");
    admitted(await limiter.wait("ann", asked));
    expect(await limiter.wait("ann", { ...asked, fingerprint: "b" })).toMatchObject({ state: "conflict" });
    expect(await limiter.wait("ann", asked)).toMatchObject({ state: "running" });
    expect(left()).toEqual({ requests: 4 });
  });

  it("is refused if its wait is too long, and claims nothing", async () => {
    const { limiter } = chat("1/hour");
    admitted(await limiter.admit("ann"));
    const refused = await limiter.wait("ann", { ...asked, maxWaitMs: 10 });
    expect([refused.admitted, refused.admitted || refused.reason]).toEqual([false, "quota-exceeded"]);
    await limiter.reset("ann");
    expect(await limiter.admit("ann", asked)).toMatchObject({ admitted: true, attempt: 1 });
  });

  it("counts once in a shadow, and a known one does not count", async () => {
    const { limiter } = chat("5/hour");
    limiter.setShadow([
      { name: "user", limits: "4/hour" },
      { name: "all", limits: "100/hour" },
    ]);
    await limiter.wait("ann", asked);
    await limiter.wait("ann", asked);
    expect(limiter.shadowReport()).toMatchObject({ decisions: 1 });
  });

  it("rejects with an error for an id that cannot be used", async () => {
    const { limiter } = chat();
    for (const wrong of [
      { id: "" },
      { id: undefined as never },
      { fingerprint: "a" } as never,
      { ids: "a" } as never,
    ])
      await expect(limiter.wait("ann", wrong)).rejects.toMatchObject({ code: "option-invalid" });
  });
});
