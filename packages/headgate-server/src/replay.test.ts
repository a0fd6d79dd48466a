import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import fc from "fast-check";
import { createLimiter, type LayerOptions, memoryStore, parseLimits, type Store } from "headgate";
import { decisionLog, type LogLine } from "headgate/log";
import { readPolicyDocument } from "headgate/policy-document";
import { fakeClock, oracle } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { record } from "../test-processes/record.ts";
import { differencesOf, limitersIn, readLog, replay, trafficOf } from "./index.ts";

/** The runs in docs/replay.md used 100,000. */
const decisionsEach = Number(process.env.HEADGATE_REPLAY_DECISIONS ?? 1500);
const processes = 3;

interface Opened {
  readonly url: string;
  remove(): Promise<void>;
}

describe.each<[string, () => Promise<Opened>]>([
  ["memory", async () => ({ url: "memory://", async remove() {} })],
  ["redis", () => startRedis()],
  ["postgres", () => startPostgres(["max_connections=60"])],
])("the log of several processes over %s", (_, open) => {
  let folder: string;
  let server: Opened;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "headgate-replay-"));
    server = await open();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is replayed without a difference in any decision", async () => {
    const statuses = await record(server.url, folder, processes, decisionsEach);
    expect(statuses.map(({ lost, waiting }) => lost + waiting)).toEqual(statuses.map(() => 0));
    const { lines, lost, unreadable } = await readLog([folder]);
    expect([lost, unreadable]).toEqual([0, 0]);
    expect(limitersIn(lines)).toEqual(["chat"]);
    // No line of any process is missing.
    for (const process of new Set(lines.map((line) => line.process))) {
      const numbers = lines.flatMap((line) => (line.process === process ? [line.n] : []));
      expect(new Set(numbers).size).toBe(Math.max(...numbers));
    }
    const traffic = trafficOf(lines, "chat", true);
    expect(traffic).toMatchObject({ processes, ordered: true, oneSegment: true });
    const { decisions, extensionsDiffering, notes } = replay(traffic);
    expect(decisions).toHaveLength(processes * decisionsEach);
    expect(decisions.filter(({ line }) => line.by === "outage-policy")).toEqual([]);
    expect(differencesOf(decisions).map(({ what, replayed }) => ({ what, line: replayed.line }))).toEqual([]);
    // Out of thousands of extensions, two may differ: see docs/replay.md.
    expect(extensionsDiffering).toBeLessThanOrEqual(2);
    expect([...notes]).toEqual([]);
    // The traffic must cover the difficult cases.
    const kinds = new Set(
      decisions.map(({ line }) => (line.admitted ? "admitted" : `${line.reason} ${line.waitsFor}`)),
    );
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        "admitted",
        "blocked window",
        "quota-exceeded window",
        "quota-exceeded holders",
      ]),
    );
    expect(new Set(lines.map(({ type }) => type))).toEqual(
      new Set(["begin", "policy", "decision", "settled", "extended", "override", "penalty"]),
    );
  }, 300_000);
});

interface Caller {
  readonly user: string;
  readonly ip: string;
}

const layers: readonly LayerOptions<Caller>[] = [
  { name: "user", key: ({ user }) => user, limits: "6/10 seconds; 500 tokens/30 seconds sliding-window" },
  { name: "ip", key: ({ ip }) => ip, limits: "12/20 seconds" },
];

/** Logs what one process decides, and returns its lines. */
function logged(store: Store = memoryStore()) {
  const clock = fakeClock();
  const lines: LogLine[] = [];
  const log = decisionLog({
    secret: "a secret of sixteen",
    clock,
    writer: {
      write: (text) =>
        void lines.push(
          ...text
            .split("\n")
            .slice(0, -1)
            .map((line) => JSON.parse(line) as LogLine),
        ),
    },
  });
  const limiter = createLimiter<Caller>({ name: "chat", layers, clock, store, units: ["tokens"] });
  log.record(limiter);
  return {
    clock,
    limiter,
    async lines() {
      await log.flush();
      return lines;
    },
  };
}

const asking = fc.record({ user: fc.nat(3), ip: fc.nat(2), tokens: fc.nat(300), after: fc.nat(4000) });

it("a replay applies policies that decided nothing, because their limits are remembered under the next policy", async () => {
  const { clock, limiter, lines } = logged();
  const policy = (limits: string) => [
    { name: "user", limits },
    { name: "ip", limits: "100/second" },
  ];
  const ask = async () => (await limiter.admit({ user: "ann", ip: "ip1" })).admitted;
  limiter.setPolicy(policy("9/second"));
  limiter.setPolicy(policy("9/minute"));
  limiter.setPolicy(policy("9/second"));
  expect([await ask(), await ask()]).toEqual([true, true]);
  clock.advance(5000);
  limiter.setPolicy(policy("2/minute"));
  const admitted = await ask();
  const { decisions } = replay(trafficOf(await lines(), "chat", true));
  expect(decisions.map((one) => one.admitted)).toEqual([true, true, admitted]);
  expect(admitted).toBe(false);
});

describe("another policy over the same log", () => {
  it("agrees with a count by hand", async () => {
    const other = { user: "3/10 seconds; 700 tokens/20 seconds sliding-window", ip: "9/15 seconds" };
    const document = readPolicyDocument({
      layers: Object.entries(other).map(([name, limits]) => ({ name, limits })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(asking, { minLength: 5, maxLength: 60 }), async (asked) => {
        const { clock, limiter, lines } = logged();
        const byHand = oracle();
        const expected: boolean[] = [];
        for (const { user, ip, tokens, after } of asked) {
          clock.advance(after);
          const admission = await limiter.admit({ user: `u${user}`, ip: `ip${ip}` }, { cost: { tokens } });
          // End immediately, because the count by hand has no holds.
          if (admission.admitted) await admission.end({ tokens });
          const charges = [
            { space: "user", key: `u${user}`, limits: parseLimits(other.user) },
            { space: "ip", key: `ip${ip}`, limits: parseLimits(other.ip) },
          ];
          expected.push(byHand.decide(charges, { tokens }, clock.now()).admitted);
        }
        const traffic = trafficOf(await lines(), "chat", false);
        expect(replay(traffic, document).decisions.map(({ admitted }) => admitted)).toEqual(expected);
        await limiter.close();
      }),
      { numRuns: 60 },
    );
  });

  it("assumes that newly admitted requests use the usual share of the estimate, for the usual time", async () => {
    const { clock, limiter, lines } = logged();
    for (let n = 0; n < 3; n += 1) {
      const admission = await limiter.admit({ user: "ann", ip: `ip${n}` }, { cost: { tokens: 150 } });
      clock.advance(1000);
      if (admission.admitted) await admission.end({ tokens: 75 });
    }
    const refused = await limiter.admit({ user: "ann", ip: "ip9" }, { cost: { tokens: 400 } });
    expect(refused.admitted).toBe(false);
    const document = readPolicyDocument({
      layers: [{ name: "user", limits: "100/minute; 10000 tokens/minute" }],
    });
    const { decisions, model } = replay(trafficOf(await lines(), "chat", false), document);
    expect(model).toMatchObject({ usedOfEstimate: { tokens: 0.5 }, heldMs: 1000 });
    expect(decisions.at(-1)).toMatchObject({ admitted: true, used: { requests: 1, tokens: 200 } });
  });

  it("ends a request early if its extension is refused, and counts the tokens that it would not have used", async () => {
    const { clock, limiter, lines } = logged();
    const admission = await limiter.admit({ user: "ann", ip: "ip1" }, { cost: { tokens: 100 } });
    if (!admission.admitted) throw new Error("It was refused.");
    await admission.extend({ tokens: 300 });
    clock.advance(500);
    await admission.end({ tokens: 390 });
    const document = readPolicyDocument({ layers: [{ name: "user", limits: "200 tokens/minute" }] });
    const { decisions } = replay(trafficOf(await lines(), "chat", false), document);
    expect(decisions).toMatchObject([{ admitted: true, cut: true, used: { tokens: 100 } }]);
  });

  it("lets reservations of an ended process lapse, and keeps others for as long as they were held", async () => {
    const { clock, limiter, lines } = logged();
    const held = await limiter.admit({ user: "ann", ip: "ip1" }, { cost: { tokens: 400 } });
    await limiter.admit({ user: "bob", ip: "ip2" }, { cost: { tokens: 400 } });
    clock.advance(25_000);
    // The log refuses these requests because of spent units. The replay below refuses them because of held units.
    if (held.admitted) await held.report({ tokens: 10 });
    clock.advance(20_000);
    for (const user of ["ann", "bob"]) await limiter.admit({ user, ip: "ip3" }, { cost: { tokens: 400 } });
    if (held.admitted) await held.end({ tokens: 10 });
    const document = readPolicyDocument({
      layers: [{ name: "user", limits: "500 tokens/hour sliding-window" }],
    });
    const asked = (await lines()).map((line) => (line.type === "begin" ? { ...line, shared: true } : line));
    const replayed = (from: readonly LogLine[]) =>
      replay(trafficOf(from, "chat", false), document).decisions.map(({ admitted }) => admitted);
    expect(replayed(asked)).toEqual([true, true, false, false]);
    // The same log, as if a second process had admitted bob and then ended.
    const [begin, policy] = asked as [LogLine, LogLine];
    const ended = [begin, policy].map((line) => ({ ...line, process: "ended" }));
    const byTwo = asked.map((line) =>
      line.type === "decision" && line.id === 2 ? { ...line, process: "ended" } : line,
    );
    expect(replayed([...ended, ...byTwo])).toEqual([true, true, false, true]);
  });

  it("throws if it needs callers that the log does not have", async () => {
    const { limiter, lines } = logged();
    await limiter.admit({ user: "ann", ip: "ip1" });
    const document = readPolicyDocument({ layers: [{ name: "org", limits: "5/minute" }] });
    const traffic = trafficOf(await lines(), "chat", false);
    expect(() => replay(traffic, document)).toThrow(
      /Layer "org" .* needs the key "org", .* only for "user", "ip"/,
    );
    const byIp = readPolicyDocument({ layers: [{ name: "org", key: "ip", limits: "5/minute" }] });
    expect(replay(traffic, byIp).decisions).toMatchObject([{ admitted: true }]);
  });
});
