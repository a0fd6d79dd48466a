import { localNamespace } from "@headgate/test-servers/durable-objects.ts";
import { describe, expect, it, vi } from "vitest";
import { createLimiter } from "../../limiter/limiter.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { storeSuite } from "../../testing/store-suite/index.ts";
import { durableObjectStore, type LimiterNamespace } from "./index.ts";

describe("storeSuite, on a Durable Object", () => {
  const namespace = localNamespace();
  const clock = fakeClock();
  const suite = storeSuite({
    create: () => ({
      store: durableObjectStore(namespace, { object: `suite ${crypto.randomUUID()}`, clock }),
      clock,
      close: () => {},
    }),
    scripts: 10,
    // This store rewrites all reservations at each call, so a test with thousands of reservations would take minutes.
  }).filter(({ name }) => !name.startsWith("a partition holds for 4,096 reservations"));

  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run());
});

const layers = [
  { name: "user", key: (user: string) => user, limits: "2/minute" },
  { name: "all", key: () => "all", limits: "100/hour; 5 concurrent" },
];

describe("a limiter over Durable Objects", () => {
  it("asks one object for each limiter", async () => {
    const namespace = localNamespace();
    const store = durableObjectStore(namespace);
    await createLimiter({ name: "chat", layers, store }).admit("ada");
    await createLimiter({ name: "login", layers, store }).admit("ada");
    expect([...namespace.objects.keys()].filter((name) => name !== "headgate")).toEqual(["chat", "login"]);
    expect(namespace.objects.get("chat")?.partitions()).toBe(2);
  });

  it("keeps the counts when the object is created again", async () => {
    const namespace = localNamespace();
    const limiter = createLimiter({ name: "chat", layers, store: durableObjectStore(namespace) });
    await limiter.admit("ada");
    await limiter.admit("ada");
    namespace.objects.get("chat")?.evict();
    const refused = await limiter.admit("ada");
    expect(refused).toMatchObject({ admitted: false, decidedBy: "store", binding: { layer: "user" } });
  });

  it("counts for every plan, even those without limits", async () => {
    type Caller = { user: string; plan: string };
    const limiter = createLimiter({
      name: "chat",
      layers: [
        {
          name: "user",
          key: ({ user }: Caller) => user,
          plan: ({ plan }: Caller) => plan,
          plans: { free: "2/minute", staff: "unlimited", closed: "blocked" },
          defaultPlan: "free",
        },
        { name: "staff", key: () => "all", limits: "unlimited" },
      ],
      store: durableObjectStore(localNamespace()),
    });
    const admitted = async (plan: string) => (await limiter.admit({ user: "ada", plan })).admitted;
    expect([await admitted("staff"), await admitted("staff"), await admitted("staff")]).toEqual([
      true,
      true,
      true,
    ]);
    expect([await admitted("free"), await admitted("closed")]).toEqual([false, false]);
  });

  it("keeps a permanent block through sweeps until it is ended", async () => {
    const namespace = localNamespace();
    const limiter = createLimiter({ name: "chat", layers, store: durableObjectStore(namespace) });
    await limiter.block("ada", { reason: "scraping", by: "ops" });
    const object = namespace.objects.get("chat");
    object?.evict();
    await object?.alarm();
    expect((await limiter.admit("ada")).admitted).toBe(false);
    await limiter.unblock("ada");
    expect((await limiter.admit("ada")).admitted).toBe(true);
  });

  it("charges nothing in one layer if another refuses", async () => {
    const limiter = createLimiter({ name: "chat", layers, store: durableObjectStore(localNamespace()) });
    for (let n = 0; n < 10; n += 1) await limiter.admit("ada");
    const peek = await limiter.peek("bea");
    const left = peek.limits.find(({ layer, unit }) => layer === "all" && unit === "requests");
    expect(left?.remaining).toBe(98);
  });

  it("continues from its latest time when the clock is set back, even if the object is created again", async () => {
    const namespace = localNamespace();
    const clock = fakeClock();
    const store = durableObjectStore(namespace, { clock });
    const limiter = createLimiter({ name: "chat", layers: layers.slice(0, 1), store, clock });
    await limiter.admit("ada");
    await limiter.admit("ada");
    clock.advance(-3_600_000);
    for (let n = 0; n < 3; n += 1) {
      namespace.objects.get("chat")?.evict();
      expect(await limiter.peek("ada")).toMatchObject({ admitted: false, retryAfterMs: 60_000 - n * 10_000 });
      clock.advance(10_000);
    }
  });

  it("deletes states in an alarm once they no longer count, and not before", async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    try {
      const namespace = localNamespace();
      const store = durableObjectStore(namespace);
      const { decide } = createLimiterOver(store);
      await decide("ada");
      const object = namespace.objects.get("chat");
      expect(object?.partitions()).toBe(2);
      expect(object?.alarmAt()).toBe(Date.now() + 3_600_000);

      // The minute of the layer "user" is over, but the hour of the layer "all" is not.
      vi.setSystemTime(Date.now() + 30 * 60_000);
      await object?.alarm();
      expect(object?.partitions()).toBe(1);
      expect(object?.alarmAt()).not.toBeNull();

      vi.setSystemTime(Date.now() + 31 * 60_000);
      await object?.alarm();
      expect(object?.partitions()).toBe(0);
      expect(object?.alarmAt()).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  it("uses the outage policies if the object cannot be reached, and reports why", async () => {
    const errors: unknown[] = [];
    const broken: LimiterNamespace = {
      idFromName: (name) => ({ name }),
      get: () => ({ fetch: () => Promise.reject(new Error("Network connection lost.")) }),
    };
    const limiter = createLimiter({
      name: "chat",
      layers,
      store: durableObjectStore(broken),
      timeouts: { connectMs: 0 },
      onError: (error) => errors.push(error),
    });
    const admission = await limiter.admit("ada");
    expect(admission.decidedBy).toBe("outage-policy");
    expect(String(errors[0])).toContain(
      'The Durable Object "chat" could not be asked: Network connection lost.',
    );
    await limiter.close();
  });

  it("changes nothing if a message cannot be read", async () => {
    const namespace = localNamespace();
    const answer = await namespace.get(namespace.idFromName("chat")).fetch("https://headgate.invalid/", {
      method: "POST",
      body: "{}",
    });
    expect([answer.ok, answer.status]).toEqual([false, 500]);
    expect(namespace.objects.get("chat")?.partitions()).toBe(0);
  });

  it.each([undefined, null, {}, "chat", { idFromName: () => ({}) }])(
    "throws for the binding %o",
    (binding) => {
      expect(() => durableObjectStore(binding as unknown as LimiterNamespace)).toThrow(
        "durableObjectStore takes the binding of a Durable Object namespace, such as env.LIMITER",
      );
    },
  );
});

function createLimiterOver(store: ReturnType<typeof durableObjectStore>) {
  const counted = [
    { name: "user", key: (user: string) => user, limits: "2/minute" },
    { name: "all", key: () => "all", limits: "100/hour" },
  ];
  // Without a clock, so that the object uses its own time. A limiter with a clock would wait for fake timers.
  const limiter = createLimiter({ name: "chat", layers: counted, store, timeouts: { connectMs: 0 } });
  return { decide: (user: string) => limiter.admit(user) };
}
