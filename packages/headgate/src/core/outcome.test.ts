import { describe, expect, it, vi } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { MemoryOutcome } from "../stores/memory/outcome.ts";
import type { Admission } from "./admission.ts";
import { compileLimits } from "./limit-set.ts";
import { checkOutcome } from "./outcome.ts";
import type { Store } from "./store.ts";

const charges = [{ limits: compileLimits("user", "5/minute; 60/hour") }];
const reading = { remaining: 4, waitMs: 0, resetMs: 60_000 };
const sound = { admitted: true, now: 1, readings: [[reading, reading]], marks: [] };

const nonsense: [string, unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["{}", {}],
  ["admitted alone", { admitted: true }],
  ["a string for admitted", { ...sound, admitted: "yes" }],
  ["no time", { ...sound, now: Number.NaN }],
  ["no readings", { ...sound, readings: [] }],
  ["too few readings", { ...sound, readings: [[reading]] }],
  ["readings without numbers", { ...sound, readings: [[reading, {}]] }],
  ["a negative wait", { ...sound, readings: [[reading, { ...reading, waitMs: -1 }]] }],
  ["a refusal without a refusing limit", { ...sound, admitted: false }],
];

describe("checkOutcome", () => {
  it("returns a valid outcome unchanged", () => {
    expect(checkOutcome("own", charges, sound)).toBe(sound);
  });

  it.each(nonsense)("refuses %s", (_what, outcome) => {
    expect(() => checkOutcome("own", charges, outcome as never)).toThrow(
      'The store "own" gave an answer that ',
    );
  });
});

describe("a store that returns an invalid answer", () => {
  const layers = [{ name: "user", key: (key: string) => key, limits: "5/minute; 60/hour" }];

  async function admittedBy(store: Store, onError: (error: unknown) => void): Promise<number> {
    const limiter = createLimiter<string>({ name: "chat", layers, store, onError, onOutage: () => {} });
    let admitted = 0;
    for (let n = 0; n < 50; n += 1) if (((await limiter.admit("a")) as Admission).admitted) admitted += 1;
    return admitted;
  }

  it.each(nonsense)(
    "counts as failed if it returns %s: the outage policy decides",
    async (_what, outcome) => {
      for (const remote of [true, false]) {
        for (const answer of [outcome, Promise.resolve(outcome)]) {
          const onError = vi.fn();
          const store = { ...memoryStore(), name: "own", remote, decide: () => answer } as unknown as Store;
          expect(await admittedBy(store, onError)).toBe(5);
          expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "store-state-invalid" }));
        }
      }
    },
  );

  it("is not confused with the memory store, whose answers are checked without building readings", () => {
    const made = vi.spyOn(MemoryOutcome.prototype, "readings", "get");
    const limiter = createLimiter<string>({ name: "chat", layers, store: memoryStore() });
    const admission = limiter.admit("a") as Admission;
    expect(made).not.toHaveBeenCalled();
    expect(admission.limits.map(({ remaining }) => remaining)).toEqual([4, 59]);
    made.mockRestore();
  });

  it("counts as failed if it returns the memory store's answer to another question", async () => {
    const inner = memoryStore();
    const decide: Store["decide"] = (_charges, now, peek, hold) => inner.decide([], now, peek, hold);
    const onError = vi.fn();
    expect(await admittedBy({ ...inner, decide }, onError)).toBe(5);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "store-state-invalid" }));
  });
});
