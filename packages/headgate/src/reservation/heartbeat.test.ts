import { expect, it } from "vitest";
import type { Admission } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";

const hour = 3_600_000;

function oneAtATime() {
  const clock = fakeClock();
  const store = memoryStore();
  const { adjust } = store;
  let beats = 0;
  store.adjust = (...given) => {
    beats += 1;
    return adjust(...given);
  };
  const limiter = createLimiter({
    name: "chat",
    clock,
    store,
    layers: [{ name: "user", key: (user: string) => user, limits: "1 concurrent" }],
  });
  const admit = (user = "ann") => limiter.admit(user) as Admission;
  return { clock, limiter, admit, beatsSoFar: () => beats };
}

it("keeps a hold alive through a jump of a day", () => {
  const { clock, admit } = oneAtATime();
  expect(admit().admitted).toBe(true);
  clock.advance(24 * hour);
  expect(admit().admitted).toBe(false);
});

it("makes a bounded number of beats in a jump of a century, after which the hold has lapsed", async () => {
  const { clock, admit, beatsSoFar } = oneAtATime();
  expect(admit().admitted).toBe(true);
  clock.advance(100 * 365 * 24 * hour);
  expect(beatsSoFar()).toBeGreaterThan(10_000);
  expect(beatsSoFar()).toBeLessThan(10_100);
  expect(admit().admitted).toBe(true);
});

it("does not replace a newer report with the answer to a heartbeat", async () => {
  const clock = fakeClock();
  const limiter = createLimiter({
    name: "chat",
    clock,
    layers: [{ name: "user", key: (user: string) => user, limits: "1000 tokens/day" }],
  });
  const settled: unknown[] = [];
  limiter.observe({ settled: ({ used }) => settled.push(used) });
  const admission = await limiter.admit("ann", { cost: { tokens: 100 } });
  if (!admission.admitted) throw new Error("It was refused.");
  // The heartbeat runs during this jump. Its answer is processed after the report.
  clock.advance(10_000);
  admission.report({ tokens: 40 });
  await Promise.resolve();
  expect(settled).toEqual([{ tokens: 40 }]);
  await admission.extend({ tokens: 50 });
  // 40 used, 60 held, and 50 more.
  expect((await limiter.peek("ann")).tightest?.remaining).toBe(850);
  await limiter.close();
});

it("returns to the normal interval after a long jump", async () => {
  const { clock, limiter, admit } = oneAtATime();
  const early = admit("bob");
  clock.advance(365 * 24 * hour);
  // The jump ends with this turn of the event loop.
  await Promise.resolve();
  const late = admit("ann");
  clock.advance(hour);
  expect([early.admitted, late.admitted]).toEqual([true, true]);
  expect(admit("ann").admitted).toBe(false);
  await limiter.close();
});
