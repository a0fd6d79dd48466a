import { expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import type { LayerOptions } from "../core/policy.ts";
import type { Store } from "../core/store.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";

const second = 1000;
const outage = { policy: "local", instances: 1 } as const;
const user = {
  name: "user",
  key: (user: string) => user,
  limits: "9/hour; 1000 tokens/hour",
  outage,
} as const;

/** A shared store that can fail, and processes that use it. */
function shared() {
  const clock = fakeClock();
  const memory = memoryStore();
  let isDown = false;
  const reach = () => {
    if (isDown) throw new Error("It is down.");
  };
  const store: Store = {
    ...memory,
    name: "shared",
    remote: true,
    async decide(...asked) {
      reach();
      return memory.decide(...asked);
    },
    async adjust(...asked) {
      reach();
      return memory.adjust(...asked);
    },
  };
  const make = (layers: readonly LayerOptions<string>[] = [user]) =>
    createLimiter({ name: "chat", clock, store, layers, onError() {}, onOutage() {} });
  return {
    clock,
    make,
    fail: (down: boolean) => {
      isDown = down;
    },
  };
}

/** Lets pending calls finish. */
const settle = async () => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

it("knows only the ids that it admitted itself, while the store cannot answer", async () => {
  const { make, fail } = shared();
  const [one, other] = [make(), make()];
  fail(true);
  const first = (await one.admit("ann", { id: "m1", result: "stream 1" })) as Admitted;
  expect(first).toMatchObject({ admitted: true, attempt: 1, decidedBy: "outage-policy" });
  expect(await one.admit("ann", { id: "m1" })).toMatchObject({
    reason: "known",
    state: "running",
    result: "stream 1",
    decidedBy: "outage-policy",
  });
  expect(await other.admit("ann", { id: "m1" })).toMatchObject({ admitted: true });
  await first.end(undefined, { result: "answer 1" });
  expect(await one.admit("ann", { id: "m1" })).toMatchObject({ state: "done", result: "answer 1" });
});

it("knows ids that it was already answering when the store failed", async () => {
  const { make, fail } = shared();
  const one = make();
  const asked = { id: "m1", fingerprint: "a", result: "stream 1" };
  const first = (await one.admit("ann", asked)) as Admitted;
  fail(true);
  expect(await one.admit("ann", asked)).toMatchObject({
    state: "running",
    result: "stream 1",
    decidedBy: "outage-policy",
  });
  expect(await one.admit("ann", { ...asked, fingerprint: "b" })).toMatchObject({ state: "conflict" });
  expect(await one.admit("bob", asked)).toMatchObject({ admitted: true });
  await first.end("nothing");
  expect(await one.admit("ann", asked)).toMatchObject({ admitted: true, attempt: 1 });
});

it("claims an id in the store that it admitted during the outage, once the store is back", async () => {
  const { clock, make, fail } = shared();
  const [one, other] = [make(), make()];
  fail(true);
  const first = (await one.admit("ann", {
    id: "m1",
    fingerprint: "a",
    result: "stream 1",
    cost: { tokens: 100 },
  })) as Admitted;
  fail(false);
  for (let seconds = 0; seconds < 20; seconds += 1) {
    clock.advance(second);
    await settle();
  }
  expect(await other.admit("ann", { id: "m1", fingerprint: "a" })).toMatchObject({
    state: "running",
    result: "stream 1",
    decidedBy: "store",
  });
  expect(await other.admit("ann", { id: "m1", fingerprint: "b" })).toMatchObject({ state: "conflict" });
  await first.end({ tokens: 30 }, { result: "answer 1" });
  expect(await other.admit("ann", { id: "m1", fingerprint: "a" })).toMatchObject({
    state: "done",
    result: "answer 1",
  });
  const { limits } = await other.peek("ann");
  expect(limits.map(({ remaining }) => remaining)).toEqual([8, 970]);
});

it("sends the end of an id later, if the store could not be reached", async () => {
  const { clock, make, fail } = shared();
  const [one, other] = [make(), make()];
  const first = (await one.admit("ann", { id: "m1", cost: { tokens: 100 } })) as Admitted;
  fail(true);
  await first.end({ tokens: 30 }, { result: "answer 1" });
  fail(false);
  clock.advance(2 * second);
  // The answer to any call shows that the store is back.
  await one.peek("bob");
  await settle();
  expect(await other.admit("ann", { id: "m1" })).toMatchObject({ state: "done", result: "answer 1" });
});

it.each<[what: string, limits: string, id?: string]>([
  ["an id", "9/hour", "m1"],
  ["a place", "2 concurrent"],
])(
  "sends the requests of a counted layer later, if %s belongs to a layer that was not counted",
  async (_what, limits, id) => {
    const { clock, make, fail } = shared();
    const layers: LayerOptions<string>[] = [
      { ...user, limits, outage: "admit" },
      { name: "all", key: () => "all", limits: "9/hour", outage },
    ];
    const [one, other] = [make(layers), make(layers)];
    fail(true);
    // Where the first layer is not counted, ids are ignored.
    for (const name of ["ann", "bob", "ann"]) {
      const admission = await (id === undefined ? one.admit(name) : one.admit(name, { id }));
      if (!admission.admitted) throw new Error("refused");
      if (name === "ann") await admission.end();
    }
    fail(false);
    for (let seconds = 0; seconds < 20; seconds += 1) {
      clock.advance(second);
      await settle();
    }
    const { limits: read } = await other.peek("eve");
    expect(read.map(({ layer, remaining }) => [layer, remaining])).toContainEqual(["all", 6]);
  },
);
