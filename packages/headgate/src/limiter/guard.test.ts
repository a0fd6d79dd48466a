import { describe, expect, it } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { guard, KnownError, RefusedError } from "./guard.ts";
import { createLimiter } from "./limiter.ts";

function limited(limits: string) {
  const clock = fakeClock();
  const layers = [{ name: "customer", key: (customer: string) => customer, limits }];
  const limiter = createLimiter<string>({ name: "jobs", layers, clock });
  const left = async () =>
    (await limiter.peek("acme", { cost: {} })).limits.map(({ remaining }) => remaining);
  return { clock, limiter, left };
}

const caller = (customer: string) => customer;

describe("a guarded function", () => {
  it("runs as often as its limiter admits, with the same arguments and result", async () => {
    const { limiter, clock } = limited("2/minute");
    const send = guard(limiter, (customer: string, text: string) => `${text} to ${customer}`, { caller });
    expect([await send("acme", "One"), await send("acme", "Two")]).toEqual(["One to acme", "Two to acme"]);
    const refusal = await send("acme", "Three").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RefusedError);
    expect((refusal as RefusedError).message).toBe(
      "Refused by customer-per-minute: try again in 60 seconds.",
    );
    expect((refusal as RefusedError).retryAfterSeconds).toBe(60);
    expect(await send("other", "Three")).toBe("Three to other");
    clock.advance(60_000);
    expect(await send("acme", "Four")).toBe("Four to acme");
  });

  it("waits in the queue with maxWaitMs", async () => {
    const { limiter, clock } = limited("1/minute");
    const send = guard(limiter, async (customer: string) => customer, { caller, maxWaitMs: 90_000 });
    await send("acme");
    const waiting = send("acme");
    await Promise.resolve();
    clock.advance(60_000);
    expect(await waiting).toBe("acme");
    await expect(guard(limiter, () => 1, { caller: () => "acme", maxWaitMs: 10 })()).rejects.toThrow(
      "try again in 60 seconds",
    );
  });

  it("holds a place while it runs, and a failed call stays charged", async () => {
    const { limiter, left } = limited("9/minute; 1 concurrent");
    let fail: (error: Error) => void = () => {};
    const run = guard(
      limiter,
      () =>
        new Promise<never>((_, reject) => {
          fail = reject;
        }),
      { caller: () => "acme" },
    );
    const running = run();
    await expect(run()).rejects.toThrow("Refused by customer-concurrent");
    fail(new Error("The job failed."));
    await expect(running).rejects.toThrow("The job failed.");
    expect(await left()).toEqual([8, 1]);
  });

  it("holds its cost, and is charged what it used", async () => {
    const { limiter, left } = limited("9/minute; 1000 tokens/day");
    const answer = guard(limiter, async (_customer: string, tokens: number) => ({ tokens }), {
      caller,
      cost: () => ({ tokens: 600 }),
      used: ({ tokens }) => ({ tokens }),
    });
    await answer("acme", 250);
    expect(await left()).toEqual([8, 750]);
    await answer("acme", 400);
    await expect(answer("acme", 1)).rejects.toThrow(RefusedError);
    expect(await left()).toEqual([7, 350]);
  });

  it("says so if no wait helps", async () => {
    const { limiter } = limited("9/minute; 100 tokens/day");
    const run = guard(limiter, () => 1, { caller: () => "acme", cost: () => ({ tokens: 101 }) });
    await expect(run()).rejects.toThrow("no wait helps (cost-exceeds-quota)");
  });

  it.each<[string, () => unknown]>([
    ["the function is undefined", () => guard(limited("1/day").limiter, undefined as never, { caller })],
    ["needs a caller option", () => guard(limited("1/day").limiter, () => 1, {} as never)],
    ['did you mean "caller"', () => guard(limited("1/day").limiter, () => 1, { calller: caller } as never)],
  ])("says what is wrong: %s", (message, mistake) => {
    expect(mistake).toThrow(message);
  });
});

describe("a guarded function whose calls have ids", () => {
  const options = {
    caller,
    idempotency: (_customer: string, job: string) => ({ id: job, fingerprint: "a", result: `log of ${job}` }),
  };

  it("runs once for each id of a caller, and is charged once", async () => {
    const { limiter, left } = limited("9/minute");
    const runs: string[] = [];
    const run = guard(
      limiter,
      async (customer: string, job: string) => {
        runs.push(`${customer} ${job}`);
        return runs.length;
      },
      options,
    );
    const first = run("acme", "a");
    const running = await run("acme", "a").catch((error: unknown) => error);
    expect(running).toBeInstanceOf(KnownError);
    expect((running as KnownError).known).toMatchObject({ state: "running", result: "log of a" });
    expect(await first).toBe(1);
    await expect(run("acme", "a")).rejects.toThrow("A call with this id has already run.");
    await run("acme", "b");
    await run("other", "a");
    expect(runs).toEqual(["acme a", "acme b", "other a"]);
    expect(await left()).toEqual([7]);
  });

  it("may answer a known id itself", async () => {
    const { limiter } = limited("9/minute");
    const run = guard(limiter, (_customer: string, job: string) => `new ${job}`, {
      ...options,
      onKnown: ({ state }, _customer, job) => `${state} ${job}`,
    });
    expect([await run("acme", "a"), await run("acme", "a")]).toEqual(["new a", "done a"]);
  });

  it("runs again after a failure, and is not charged again", async () => {
    const { limiter, left } = limited("9/minute");
    let isBroken = true;
    const run = guard(
      limiter,
      (_customer: string, job: string) => {
        if (isBroken) throw new Error("broken");
        return job;
      },
      options,
    );
    await expect(run("acme", "a")).rejects.toThrow("broken");
    isBroken = false;
    expect(await run("acme", "a")).toBe("a");
    expect(await left()).toEqual([8]);
  });

  it("charges every call without an id, and one of two waiting calls with the same id", async () => {
    const { limiter, left, clock } = limited("2/minute");
    const run = guard(limiter, (_customer: string, job: string) => job, {
      caller,
      idempotency: (_customer, job) => (job === "" ? undefined : { id: job }),
      maxWaitMs: 90_000,
    });
    await Promise.all([run("acme", ""), run("acme", "")]);
    expect(await left()).toEqual([0]);
    const answers = Promise.allSettled([run("acme", "a"), run("acme", "a")]);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    clock.advance(60_000);
    expect((await answers).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await left()).toEqual([1]);
  });

  it("rejects an id that cannot be used", async () => {
    const { limiter } = limited("9/minute");
    const run = guard(limiter, () => 1, { caller: () => "acme", idempotency: () => ({ id: "" }) });
    await expect(run()).rejects.toMatchObject({ code: "option-invalid" });
    expect(() => guard(limiter, () => 1, { caller: () => "acme", idempotency: "a" as never })).toThrow(
      "idempotency",
    );
  });
});
