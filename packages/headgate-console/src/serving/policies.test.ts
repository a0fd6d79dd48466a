import { createLimiter } from "headgate";
import type { PolicyDocument } from "headgate/policy-document";
import { fakeClock } from "headgate/testing";
import { afterEach, describe, expect, it } from "vitest";
import { createCollector } from "../counting/collector.ts";
import { memoryKeeper, type PolicyKeeper, type PolicyStep } from "../policies/keeper.ts";
import { type LivePoliciesOptions, livePolicies } from "../policies/live-policies.ts";
import { createConsole } from "./console.ts";

const ORIGIN = "https://example.com";
const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const layersOf = (limits: string) => [{ name: "user", key: (user: string) => user, limits }];
const policy = (limits: string): PolicyDocument => ({ layers: [{ name: "user", limits }] });
const textOf = (limits: string) => JSON.stringify(policy(limits));

/** Sets up one process of a service. Several processes can share a keeper. */
function setUp({ keeper = memoryKeeper(), ...more }: Partial<LivePoliciesOptions> = {}) {
  const clock = fakeClock(Date.UTC(2026, 10, 10, 9));
  const limiter = createLimiter<string>({ name: "chat", layers: layersOf("2/minute"), clock });
  const guard = createLimiter<string>({ name: "guard", layers: layersOf("9/minute"), clock });
  closers.push(limiter.close, guard.close);
  const errors: unknown[] = [];
  const policies = livePolicies({
    limiters: [
      {
        limiter,
        layers: layersOf("2/minute"),
        keys: { user: (user: string) => user, everybody: () => "all" },
        planNames: () => ["free", "pro"],
      },
      { limiter: guard, layers: layersOf("9/minute"), canChange: false },
    ],
    keeper,
    clock,
    onError: (error) => errors.push(error),
    ...more,
  });
  const failures: unknown[] = [];
  const handle = createConsole({
    collector: createCollector([guard, limiter], { clock }),
    authorize: (request) => {
      const name = request.headers.get("X-Operator");
      return name === null ? null : { name };
    },
    policies,
    clock,
    onError: (error) => failures.push(error),
  });
  const send = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    handle(
      new Request(`${ORIGIN}/operator/api/policy/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Origin: ORIGIN, "X-Operator": "Ann", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  const read = async (path: string) =>
    (
      await handle(new Request(`${ORIGIN}/operator/api/${path}`, { headers: { "X-Operator": "Ann" } }))
    ).json();
  const chat = async () =>
    (await read("policies")).limiters.find((one: { limiter: string }) => one.limiter === "chat");
  const live = async (limits: string, from = limiter.policy.hash, reason = "a test", operator = "Ann") =>
    send("live", { limiter: "chat", text: textOf(limits), from, reason }, { "X-Operator": operator });
  return { clock, limiter, policies, send, read, chat, live, errors, failures };
}

const detailOf = async (response: Response) => (await response.json()).detail as string;

describe("the policy in force", () => {
  it("is shown with its hash, and as the policy of the settings", async () => {
    const { read, chat, limiter } = setUp();
    expect(await chat()).toMatchObject({
      hash: limiter.policy.hash,
      document: { layers: [{ name: "user", limits: "2/minute" }] },
      layers: [{ name: "user", limits: [{ plan: null, limits: "2/minute" }] }],
      set: null,
      before: null,
      shadow: null,
      canChange: true,
    });
    const { limiters, canReplay } = await read("policies");
    expect(limiters.map(({ limiter: name }: { limiter: string }) => name)).toEqual(["chat", "guard"]);
    expect(canReplay).toBe(false);
  });

  it("is the policy that an operator made live, with time, name and reason, and keeps the counts", async () => {
    const { chat, live, limiter, clock, read } = setUp();
    const { hash: before } = limiter.policy;
    for (let n = 0; n < 2; n += 1) await limiter.admit("ann");
    const response = await live("3/minute");
    expect([response.status, (await response.json()).said]).toEqual([
      200,
      `${limiter.policy.hash} is in force for chat.`,
    ]);
    expect(limiter.policy.hash).not.toBe(before);
    const admissions = [await limiter.admit("ann"), await limiter.admit("ann")];
    expect(admissions.map(({ admitted }) => admitted)).toEqual([true, false]);
    expect(await chat()).toMatchObject({
      hash: limiter.policy.hash,
      document: policy("3/minute"),
      set: { at: clock.now(), by: "Ann", reason: "a test" },
      before: { hash: null, isOfSettings: true },
    });
    expect((await read("changes")).log).toMatchObject([
      {
        what: "live",
        of: "chat",
        before,
        after: limiter.policy.hash,
        reason: "a test",
        by: "Ann",
        at: clock.now(),
      },
    ]);
  });

  it("is rolled back step by step to the policy of the settings", async () => {
    const { send, live, limiter, chat, clock, read } = setUp();
    const hashes = [limiter.policy.hash];
    for (const limits of ["3/minute", "4/minute"]) {
      await live(limits);
      hashes.unshift(limiter.policy.hash);
      await clock.advance(1_000);
    }
    const back = (reason?: string) =>
      send("roll-back", { limiter: "chat", from: limiter.policy.hash, ...(reason ? { reason } : {}) });
    expect((await chat()).before).toEqual({ hash: hashes[1], isOfSettings: false });
    expect(await detailOf(await back())).toMatch(/Give a reason/);
    expect((await back("too much")).status).toBe(200);
    expect(limiter.policy.hash).toBe(hashes[1]);
    expect((await chat()).before).toEqual({ hash: null, isOfSettings: true });
    expect((await back("again")).status).toBe(200);
    expect(limiter.policy.hash).toBe(hashes[2]);
    expect((await chat()).set).toBeNull();
    const more = await back("once more");
    expect([more.status, await detailOf(more)]).toEqual([
      422,
      "chat has the policy of the settings: there is no earlier policy.",
    ]);
    const { log } = await read("changes");
    expect(log.map(({ what }: { what: string }) => what)).toEqual(["roll-back", "roll-back", "live", "live"]);
    expect(log[0]).toMatchObject({ before: hashes[1], after: hashes[2], reason: "again" });
  });

  it("stays if a change has no reason, changes nothing, or is invalid", async () => {
    const { send, limiter, live, read } = setUp();
    const from = limiter.policy.hash;
    for (const [body, message] of [
      [{ text: textOf("3/minute") }, /Give a reason/],
      [{ text: textOf("2/minute"), reason: "x" }, /is already in force/],
      [
        { text: '{\n"layers": [{ "name": "user", "limits": "lots" }] }', reason: "x" },
        /^Line 2, layers\[0\].limits: .*lots/,
      ],
      [
        { text: '{ "layers": [{ "name": "org", "limits": "5/minute" }] }', reason: "x" },
        /needs the key "org": keys has "user", "everybody"/,
      ],
      [{ text: textOf("5 seconds/minute"), reason: "x" }, /No request uses seconds, .* use requests/],
      [{ text: "{", reason: "x" }, /^Line 1: Expected/],
      [{ text: 5, reason: "x" }, /text must be the policy/],
      [{ reason: "x" }, /text must be the policy/],
      [{ text: textOf("3/minute"), reason: "x\ny" }, /reason must be one line/],
    ] as const) {
      const response = await send("live", { limiter: "chat", from, ...body });
      expect(response.status, JSON.stringify(body)).toBe(422);
      expect(await detailOf(response)).toMatch(message);
    }
    expect(
      (await send("live", { limiter: "chats", from, text: textOf("3/minute"), reason: "x" })).status,
    ).toBe(422);
    const guard = await send("live", { limiter: "guard", from, text: textOf("3/minute"), reason: "x" });
    expect(await detailOf(guard)).toMatch(/cannot be changed here/);
    expect([limiter.policy.hash, (await read("changes")).log]).toEqual([from, []]);
    // The hash does not cover keys: the same limits for everybody together are a different policy.
    const shared = { layers: [{ name: "user", key: "everybody", limits: "2/minute" }] };
    const changed = await send("live", { limiter: "chat", from, text: JSON.stringify(shared), reason: "x" });
    expect(changed.status).toBe(200);
    await limiter.admit("ann");
    await limiter.admit("ben");
    expect((await limiter.admit("cleo")).admitted).toBe(false);
    expect((await live("3/minute")).status).toBe(200);
  });

  it("is changed by the first of two operators, and the second operator sees the name of the first", async () => {
    const { limiter, live, read } = setUp();
    const from = limiter.policy.hash;
    expect((await live("3/minute", from, "a test", "Ann")).status).toBe(200);
    const late = await live("4/minute", from, "a test", "Ben");
    expect([late.status, await detailOf(late)]).toEqual([
      409,
      `Your change started from policy ${from}, but ${limiter.policy.hash} is now in force, since Ann changed it at 09:00 UTC. Nothing was changed: load the policy in force, and make your change again.`,
    ]);
    expect((await read("changes")).log).toHaveLength(1);
  });

  it("is changed once if two processes get a change at the same moment", async () => {
    const keeper = memoryKeeper();
    const [one, other] = [setUp({ keeper }), setUp({ keeper })];
    const answers = await Promise.all([one.live("3/minute"), other.live("4/minute")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    for (const { policies } of [one, other]) await policies.refresh();
    expect(one.limiter.policy.hash).toBe(other.limiter.policy.hash);
    expect(await keeper.list(10)).toHaveLength(1);
  });

  it("is not rolled back if it changes while the previous policy is read", async () => {
    const keeper = memoryKeeper();
    let meanwhile: (() => Promise<unknown>) | undefined;
    const { live, send, limiter, policies } = setUp({
      keeper: {
        ...keeper,
        async find(...step) {
          const found = await keeper.find(...step);
          const change = meanwhile;
          meanwhile = undefined;
          await change?.();
          return found;
        },
      },
    });
    for (const limits of ["3/minute", "4/minute"]) await live(limits);
    const from = limiter.policy.hash;
    meanwhile = () => live("5/minute", from, "a test", "Ben");
    const late = await send("roll-back", { limiter: "chat", from, reason: "a test" });
    expect([late.status, await detailOf(late)]).toEqual([
      409,
      expect.stringContaining("since Ben changed it"),
    ]);
    expect(await keeper.list(10)).toHaveLength(3);
    expect((await policies.list())[0]).toMatchObject({ document: policy("5/minute"), set: { by: "Ben" } });
  });

  it("is not replaced by an earlier state that arrives after a change", async () => {
    const keeper = memoryKeeper();
    let late: readonly PolicyStep[] | undefined;
    const { policies, live, send, limiter } = setUp({
      keeper: { ...keeper, latest: async () => late ?? keeper.latest() },
    });
    await live("3/minute");
    await send("shadow", { limiter: "chat", from: limiter.policy.hash, text: textOf("1/minute") });
    const early = await keeper.latest();
    const fromShadow = limiter.shadowReport()?.policy;
    await send("shadow", {
      limiter: "chat",
      from: limiter.policy.hash,
      fromShadow,
      text: textOf("5/minute"),
    });
    await live("4/minute");
    const after = [limiter.policy.hash, limiter.shadowReport()?.policy];
    late = early;
    await policies.refresh();
    expect([limiter.policy.hash, limiter.shadowReport()?.policy]).toEqual(after);
  });

  it("is in force in another process and after a restart, after a refresh", async () => {
    const keeper = memoryKeeper();
    const one = setUp({ keeper });
    await one.live("3/minute");
    await one.send("shadow", { limiter: "chat", from: one.limiter.policy.hash, text: textOf("1/minute") });
    const other = setUp({ keeper });
    await other.policies.refresh();
    expect(other.limiter.policy.hash).toBe(one.limiter.policy.hash);
    expect(other.limiter.shadowReport()?.policy).toBe(one.limiter.shadowReport()?.policy);
    expect((await other.chat()).set).toMatchObject({ by: "Ann" });
  });

  it("is the policy of the settings if the stored policy is invalid, and an error is reported", async () => {
    const keeper = memoryKeeper();
    const step: PolicyStep = {
      limiter: "chat",
      revision: 1,
      what: "live",
      document: { layers: [{ name: "gone", limits: "5/minute" }] },
      hash: "abc",
      before: null,
      parent: null,
      reason: null,
      by: "Ann",
      at: 0,
    };
    await keeper.append(step);
    await keeper.append({ ...step, revision: 2, what: "shadow" });
    const { policies, limiter, chat, live, errors } = setUp({ keeper });
    const { hash } = limiter.policy;
    for (let times = 0; times < 3; times += 1) await policies.refresh();
    expect(limiter.policy.hash).toBe(hash);
    expect((await chat()).trouble).toMatch(/abc that Ann set cannot be used .* key "gone"/);
    expect(errors).toHaveLength(2);
    expect((await live("2/minute")).status).toBe(200);
    expect(await chat()).toMatchObject({ hash, trouble: null, document: policy("2/minute") });
  });

  it("takes precedence over the settings, until a roll back", async () => {
    const { policies, live, limiter, send } = setUp();
    expect(policies.useSettings("chat", layersOf("5/minute"))).toBe(true);
    await live("3/minute");
    const { hash } = limiter.policy;
    expect(policies.useSettings("chat", layersOf("7/minute"))).toBe(false);
    expect(limiter.policy.hash).toBe(hash);
    expect(() => policies.useSettings("chat", layersOf("lots"))).toThrow(/lots/);
    await send("roll-back", { limiter: "chat", from: hash, reason: "x" });
    expect(limiter.policy.layers[0]?.limits?.limits[0]?.quota).toBe(7);
  });
});

describe("the check of a policy", () => {
  it("reports mistakes and warnings", async () => {
    const { send } = setUp();
    const check = async (text: string) => (await send("check", { limiter: "chat", text })).json();
    expect(await check(textOf("2/minute"))).toMatchObject({ check: { isInForce: true, warnings: [] } });
    expect(await check(textOf("60/minute; 5/hour"))).toMatchObject({
      check: { isInForce: false, warnings: [expect.stringContaining("60")] },
    });
    expect(await check('{\n "layers": [] }')).toMatchObject({ mistake: { line: 2, field: "layers" } });
    expect(await check('{ "layers": [{ "name": "org", "limits": "5/minute" }] }')).toMatchObject({
      mistake: { message: expect.stringContaining("needs the key") },
    });
    const two =
      '{ "layers": [\n{ "name": "user", "limits": "5/minute" },\n{ "name": "everybody", "limits": "9 apples/day" }] }';
    expect(await check(two)).toMatchObject({
      mistake: { line: 3, field: "layers[1]", message: expect.stringContaining("uses apples") },
    });
    const warningsOf = async (...layers: object[]) =>
      (await check(JSON.stringify({ layers }))).check.warnings;
    expect(await warningsOf({ name: "user", limits: "blocked" })).toEqual([
      'Layer "user" refuses every request.',
    ]);
    expect(await warningsOf({ name: "everybody", limits: "9/minute" })).toEqual([
      'Layer "user" is in force but not in this policy: its limits would end. A layer with another name counts from 0.',
    ]);
    const plans = { layers: [{ name: "user", plans: { free: "5/minute" }, defaultPlan: "free" }] };
    const { check: checked } = await check(JSON.stringify(plans));
    expect(checked.warnings).toEqual([expect.stringContaining("callers' plans are unknown")]);
  });

  it("warns if the policy lacks a plan that callers have", async () => {
    const { policies } = setUp({
      limiters: [
        {
          limiter: createLimiter<string>({ name: "plans", layers: layersOf("2/minute") }),
          layers: layersOf("2/minute"),
          plan: () => "pro",
          planNames: () => ["free", "pro"],
        },
      ],
    });
    const document = { layers: [{ name: "user", plans: { free: "5/minute" }, defaultPlan: "free" }] };
    expect(policies.check("plans", document).warnings).toEqual([
      'Layer "user" has no plan "pro": callers with it get "free".',
    ]);
  });
});

describe("a shadow", () => {
  it("that already runs is not recorded as a change, and continues counting", async () => {
    const { send, read, limiter } = setUp();
    const from = limiter.policy.hash;
    const order = { limiter: "chat", from, text: textOf("1/minute") };
    await send("shadow", order);
    for (let n = 0; n < 2; n += 1) await limiter.admit("ann");
    const fromShadow = limiter.shadowReport()?.policy;
    const again = await send("shadow", { ...order, fromShadow });
    expect([again.status, await detailOf(again)]).toEqual([
      422,
      `This is the shadow of chat already (${fromShadow}).`,
    ]);
    expect((await read("changes")).log).toHaveLength(1);
    expect(limiter.shadowReport()).toMatchObject({ decisions: 2, wouldRefuse: 1 });
    // The same limits for other callers make another shadow.
    const others = { layers: [{ name: "user", key: "everybody", limits: "1/minute" }] };
    const other = await send("shadow", { ...order, fromShadow, text: JSON.stringify(others) });
    expect([other.status, (await read("changes")).log.length]).toEqual([200, 2]);
    // A shadow that has ended can be started again.
    const ofOthers = limiter.shadowReport()?.policy;
    expect((await send("end-shadow", { limiter: "chat", from, fromShadow: ofOthers })).status).toBe(200);
    expect((await send("shadow", { ...order, text: JSON.stringify(others) })).status).toBe(200);
  });

  it("decides the same requests as the policy in force, is shown in numbers, and ends when it is made live", async () => {
    const { send, chat, live, limiter, read } = setUp();
    const from = limiter.policy.hash;
    const started = await send("shadow", { limiter: "chat", from, text: textOf("1/minute") });
    expect(started.status).toBe(200);
    for (let n = 0; n < 3; n += 1) await limiter.admit("ann");
    const { shadow } = await chat();
    expect(shadow).toMatchObject({
      by: "Ann",
      document: policy("1/minute"),
      totals: {
        processes: 1,
        decisions: 3,
        wouldRefuse: 2,
        newlyRefused: 1,
        stillRefused: 1,
        layers: [{ layer: "user", plan: null, decisions: 3, newlyRefused: 1 }],
      },
    });
    expect(limiter.policy.hash).toBe(from);
    await live("1/minute");
    expect([limiter.policy.hash, limiter.shadowReport(), (await chat()).shadow]).toEqual([
      shadow.hash,
      undefined,
      null,
    ]);
    const { log } = await read("changes");
    expect(log.map(({ what }: { what: string }) => what)).toEqual(["end-shadow", "live", "shadow"]);
    expect(log[2]).toMatchObject({ before: null, after: shadow.hash });
  });

  it("stays if another operator changes the policy before it is ended, but the change is reported as live", async () => {
    const keeper = memoryKeeper();
    const other = setUp({ keeper });
    const { send, live, limiter } = setUp({
      keeper: {
        ...keeper,
        async append(step) {
          if (step.what === "end-shadow") {
            await other.policies.refresh();
            await other.live("5/minute");
          }
          return keeper.append(step);
        },
      },
    });
    await send("shadow", { limiter: "chat", from: limiter.policy.hash, text: textOf("3/minute") });
    const response = await live("3/minute");
    expect([response.status, (await response.json()).said]).toEqual([
      200,
      expect.stringContaining("is in force for chat."),
    ]);
  });

  it("is replaced and ended only by an operator who saw it", async () => {
    const { send, limiter, chat } = setUp();
    const from = limiter.policy.hash;
    await send("shadow", { limiter: "chat", from, text: textOf("1/minute") });
    const { hash } = (await chat()).shadow;
    const blind = await send(
      "shadow",
      { limiter: "chat", from, text: textOf("5/minute") },
      { "X-Operator": "Ben" },
    );
    expect([blind.status, await detailOf(blind)]).toEqual([
      409,
      `You saw no shadow, but ${hash} is running now, set by Ann. Nothing was changed: look at the policies again.`,
    ]);
    const ended = await send("end-shadow", { limiter: "chat", from, fromShadow: hash });
    expect(ended.status).toBe(200);
    expect(limiter.shadowReport()).toBeUndefined();
    const gone = await send("end-shadow", { limiter: "chat", from, fromShadow: hash });
    expect([gone.status, await detailOf(gone)]).toEqual([
      409,
      expect.stringContaining("none is running now"),
    ]);
    expect((await send("end-shadow", { limiter: "chat", from })).status).toBe(422);
  });
});

describe("a replay", () => {
  it("passes the policy and the period to the replay", async () => {
    const asked: unknown[] = [];
    const { send, read } = setUp({
      replay: async (...given) => {
        asked.push(given);
        return { decisions: 7 } as never;
      },
    });
    expect((await read("policies")).canReplay).toBe(true);
    const answer = await send("replay", { limiter: "chat", text: textOf("3/minute"), lastMs: 3_600_000 });
    expect([answer.status, await answer.json()]).toEqual([200, { decisions: 7 }]);
    expect(asked).toEqual([["chat", policy("3/minute"), 3_600_000]]);
    expect((await send("replay", { limiter: "chat", text: textOf("lots") })).status).toBe(422);
    expect((await send("replay", { limiter: "chat", text: textOf("5 seconds/minute") })).status).toBe(422);
    expect(asked).toHaveLength(1);
  });

  it("returns an error if no log is kept", async () => {
    const { send } = setUp();
    const answer = await send("replay", { limiter: "chat", text: textOf("3/minute") });
    expect([answer.status, await detailOf(answer)]).toEqual([
      422,
      expect.stringContaining("No decision log is kept"),
    ]);
  });
});

const ACTIONS = ["check", "replay", "shadow", "end-shadow", "live", "roll-back"];

describe("an order to change a policy is refused", () => {
  const order = (from: string) => ({ limiter: "chat", from, text: textOf("900/minute"), reason: "x" });

  it.each<[string, Record<string, string>, number]>([
    ["without an operator", { "X-Operator": "" }, 500],
    ["from another site", { Origin: "https://evil.example" }, 403],
    ["from a form", { "Content-Type": "text/plain" }, 415],
  ])("%s", async (_, headers, status) => {
    const { send, limiter } = setUp();
    const { hash } = limiter.policy;
    for (const action of ACTIONS)
      expect((await send(action, order(hash), headers)).status, action).toBe(status);
    expect(limiter.policy.hash).toBe(hash);
  });

  it("without a session", async () => {
    const { limiter, policies } = setUp();
    const { hash } = limiter.policy;
    const handle = createConsole({ collector: createCollector([limiter]), authorize: () => null, policies });
    for (const action of ACTIONS) {
      const response = await handle(
        new Request(`${ORIGIN}/operator/api/policy/${action}`, {
          method: "POST",
          headers: { "Content-Type": "application/json", Origin: ORIGIN },
          body: JSON.stringify(order(hash)),
        }),
      );
      expect(response.status, action).toBe(401);
    }
    expect((await handle(new Request(`${ORIGIN}/operator/api/policies`))).status).toBe(401);
    expect(limiter.policy.hash).toBe(hash);
  });

  it("with a body that is too large, or not JSON", async () => {
    const { send, failures } = setUp();
    expect((await send("check", `${" ".repeat(300_000)}{}`)).status).toBe(413);
    expect((await send("check", "{")).status).toBe(400);
    const long = await (await send("check", { limiter: "chat", text: " ".repeat(70_000) })).json();
    expect(long.mistake.message).toMatch(/at most 65536 characters/);
    expect(failures).toEqual([]);
  });
});

it("a console without a policy desk shows policies, but changes none", async () => {
  const { limiter } = setUp();
  const handle = createConsole({ collector: createCollector([limiter]), authorize: () => ({ name: "Ann" }) });
  const { limiters } = await (await handle(new Request(`${ORIGIN}/operator/api/policies`))).json();
  expect(limiters).toMatchObject([{ limiter: "chat", canChange: false, hash: limiter.policy.hash }]);
  const response = await handle(
    new Request(`${ORIGIN}/operator/api/policy/live`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Origin: ORIGIN },
      body: JSON.stringify({ limiter: "chat", from: "x", text: textOf("3/minute"), reason: "x" }),
    }),
  );
  expect([response.status, await detailOf(response)]).toEqual([422, "This console cannot change policies."]);
});

it("a failing keeper changes nothing, and is reported", async () => {
  const failing: PolicyKeeper = { ...memoryKeeper(), append: () => Promise.reject(new Error("secret")) };
  const { live, limiter, failures } = setUp({ keeper: failing });
  const { hash } = limiter.policy;
  const response = await live("3/minute");
  expect([response.status, limiter.policy.hash, failures.length]).toEqual([500, hash, 1]);
  expect(await response.text()).not.toContain("secret");
});
