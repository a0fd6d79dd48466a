import { eachStore } from "@headgate/test-servers/each-store.ts";
import { describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { fakeClock } from "../testing/index.ts";
import { createLimiter } from "./limiter.ts";

const stores = Object.entries(eachStore());

describe.each(stores)("plans over %s", (_name, make) => {
  function limited() {
    const clock = fakeClock();
    const limiter = createLimiter({
      name: "plans",
      layers: [
        {
          name: "org",
          key: ({ id }: { id: string; plan: string }) => id,
          plans: {
            free: "5/minute; 20/day; 1000 tokens/day; 1 concurrent",
            pro: "50/minute; 2000/day; 50000 tokens/day",
            staff: "unlimited",
            closed: "blocked",
          },
          plan: ({ plan }) => plan,
          defaultPlan: "free",
        },
        { name: "only", key: ({ id }) => id, limits: "unlimited" },
      ],
      store: make(clock),
      clock,
      timeouts: { storeMs: 10_000 },
      onWarning: () => {},
    });
    const admit = async (id: string, plan: string, tokens = 1) =>
      limiter.admit({ id, plan }, { cost: { tokens } });
    return { limiter, admit, clock };
  }

  it("keep what an unlimited caller spent", async () => {
    const { limiter, admit } = limited();
    for (let n = 0; n < 30; n += 1) {
      const admitted = (await admit("ann", "staff", 100)) as Admitted;
      expect([admitted.admitted, admitted.limits]).toEqual([true, []]);
      await admitted.end({ tokens: 100 });
    }
    expect(await admit("ann", "free")).toMatchObject({ admitted: false, reason: "quota-exceeded" });
    const pro = await limiter.peek({ id: "ann", plan: "pro" });
    expect(pro.limits.map(({ name, remaining }) => [name, remaining])).toEqual([
      ["org-per-minute", 20],
      ["org-per-day", 1970],
      ["org-tokens-per-day", 47_000],
    ]);
    await limiter.reset({ id: "ann", plan: "staff" });
    expect((await admit("ann", "free")).admitted).toBe(true);
    await limiter.close();
  });

  it("count what was spent before, during and after an unlimited plan", async () => {
    const { limiter, admit, clock } = limited();
    for (let n = 0; n < 5; n += 1) {
      const one = await admit("bob", "free");
      if (one.admitted) await one.end({ tokens: 1 });
    }
    expect((await admit("bob", "free")).admitted).toBe(false);
    clock.advance(1000);
    expect((await admit("bob", "staff")).admitted).toBe(true);
    expect((await admit("bob", "free")).admitted).toBe(false);
    clock.advance(61_000);
    const { limits } = await limiter.peek({ id: "bob", plan: "free" });
    expect(limits.find(({ name }) => name === "org-per-day")?.remaining).toBe(14);
    await limiter.close();
  });

  it("refuse a blocked caller without a call, but still charge a penalty", async () => {
    const { limiter, admit } = limited();
    expect(await admit("eve", "closed")).toMatchObject({ reason: "blocked", decidedBy: "policy" });
    await limiter.penalise({ id: "eve", plan: "closed" }, { requests: 3 });
    const { limits } = await limiter.peek({ id: "eve", plan: "free" });
    expect(limits[0]?.remaining).toBe(2);
    await limiter.close();
  });
});
