import { second } from "../../core/limit.ts";
import type { Outcome } from "../../core/store.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { ClaimOracle } from "./claim-oracle.ts";
import { Claimant, type ClaimantOptions } from "./claimant.ts";
import { expectSame } from "./expect.ts";
import type { Case } from "./laws.ts";
import { seeded } from "./random.ts";
import type { Place, Trial } from "./trial.ts";

const lease = 30 * second;
const day = 86_400 * second;

/** Formats the answer to a request with an id. */
function answer({ admitted, attempt, known, refusedFor }: Outcome): string {
  if (known !== undefined) return known.result === "" ? known.state : `${known.state} ${known.result}`;
  return admitted ? `attempt ${attempt}` : (refusedFor ?? "refused");
}

function by(trial: Trial, places: Place | readonly Place[]) {
  const list = Array.isArray(places) ? (places as readonly Place[]) : [places as Place];
  return (options: ClaimantOptions) => new Claimant(trial.store, () => trial.clock.now(), list, options);
}

async function remaining(trial: Trial, place: Place): Promise<number[]> {
  return (await trial.read(place)).map((reading) => reading.remaining);
}

async function expectAnswer(asked: Claimant, expected: string, what: string): Promise<void> {
  expectSame(answer(await asked.ask()), expected, what);
}

const everyLimit = [
  "5/hour",
  "5/hour; 1000 tokens/hour; 9 concurrent",
  "5/hour token-bucket",
  "5/hour fixed-window",
];

const cases: readonly Case[] = [
  ...everyLimit.map((limits) => ({
    name: `${limits}: a request with an id is charged once, and its id is known while it runs and after its end`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      const ask = by(trial, place);
      const first = ask({ id: "m1", result: "stream 7" });
      await expectAnswer(first, "attempt 1", "the first");
      const left = await remaining(trial, place);
      await expectAnswer(ask({ id: "m1" }), "running stream 7", "the second");
      await expectAnswer(ask({ id: "m1", fingerprint: "other" }), "conflict", "a request with another body");
      await first.become("done", { result: "answer 7" });
      await expectAnswer(ask({ id: "m1" }), "done answer 7", "a request after the end");
      await expectAnswer(
        ask({ id: "m1", fingerprint: "other" }),
        "conflict",
        "a request with another body after the end",
      );
      await expectAnswer(ask({ id: "m2" }), "attempt 1", "another id");
      expectSame(left[0], 4, "requests left after the first");
      expectSame((await remaining(trial, place))[0], 3, "requests left at the end");
    },
  })),

  {
    name: "of fifty requests with one id in one turn, one is admitted",
    async run(trial) {
      const place = trial.place("100/hour; 10000 tokens/hour");
      const ask = by(trial, place);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => ask({ id: "m1", cost: { tokens: 10 } }).ask()),
      );
      const answers = outcomes.map(answer).sort();
      expectSame(answers, ["attempt 1", ...Array.from({ length: 49 }, () => "running")], "answers");
      expectSame(await remaining(trial, place), [99, 9990], "remaining");
    },
  },

  {
    name: "requests with ids do not affect other requests of the same turn",
    async run(trial) {
      const place = trial.place("5/hour; 100 tokens/hour");
      const plain = trial.place("9/hour", "plain");
      const ask = by(trial, place);
      await ask({ id: "m1" }).ask();
      const outcomes = await Promise.all([
        trial.admit(plain),
        ask({ id: "m1" }).ask(),
        trial.hold(place, { tokens: 30 }),
        ask({ id: "m2", cost: { tokens: 101 } }).ask(),
        ask({ id: "m3", cost: { tokens: 70 } }).ask(),
        trial.admit(plain),
      ]);
      expectSame(
        outcomes.map(({ admitted }) => admitted),
        [true, false, true, false, true, true],
        "admitted",
      );
      expectSame(await remaining(trial, place), [2, 0], "remaining");
      expectSame(await remaining(trial, plain), [7], "remaining units of the other partition");
    },
  },

  {
    name: "a refused request does not claim its id",
    async run(trial) {
      const place = trial.place("1/hour");
      const ask = by(trial, place);
      const first = ask({ id: "m1" });
      await first.ask();
      await expectAnswer(ask({ id: "m2" }), "refused", "a request with another id beyond the limit");
      await expectAnswer(ask({ id: "m2", fingerprint: "other" }), "refused", "the same request again");
      await expectAnswer(ask({ id: "m1" }), "running", "a request with the first id, beyond the limit");
      await first.become("nothing");
      await expectAnswer(ask({ id: "m2" }), "attempt 1", "the refused request, once there is room");
    },
  },

  {
    name: "a request that is repeated by its own reservation is admitted again, and charged once",
    async run(trial) {
      const place = trial.place("5/hour; 1000 tokens/hour");
      const ask = by(trial, place);
      const first = ask({ id: "m1", cost: { tokens: 100 } });
      await expectAnswer(first, "attempt 1", "the first call");
      await expectAnswer(first, "attempt 1", "the same call again");
      expectSame(await remaining(trial, place), [4, 900], "remaining");
    },
  },

  {
    name: "a claim whose owner sends no heartbeat is taken over after its lease, is not charged for requests, and holds units again",
    async run(trial) {
      const place = trial.place("5/hour; 1000 tokens/hour; 3 concurrent");
      const ask = by(trial, place);
      const cost = { tokens: 100 };
      await expectAnswer(ask({ id: "m1", cost }), "attempt 1", "the first");
      trial.clock.advance(lease - 1);
      await expectAnswer(ask({ id: "m1", cost }), "running", "a request within the lease");
      trial.clock.advance(1);
      const next = ask({ id: "m1", cost });
      await expectAnswer(ask({ id: "m1", cost, fingerprint: "other" }), "conflict", "another body");
      await expectAnswer(next, "attempt 2", "a request after the lease");
      expectSame(await remaining(trial, place), [4, 900, 2], "remaining");
      await next.become("done", { used: 40 });
      expectSame(await remaining(trial, place), [4, 960, 3], "remaining once it is done");
    },
  },

  {
    name: "a takeover needs no free request, but free units to hold",
    async run(trial) {
      const place = trial.place("1/hour; 100 tokens/hour");
      const ask = by(trial, place);
      await ask({ id: "m1", cost: { tokens: 10 } }).ask();
      trial.clock.advance(lease);
      await expectAnswer(
        ask({ id: "m1", cost: { tokens: 101 } }),
        "refused",
        "a takeover that asks for too much",
      );
      await expectAnswer(ask({ id: "m1", cost: { tokens: 100 } }), "attempt 2", "a takeover that does not");
    },
  },

  {
    name: "the fourth attempt at an id pays as a new request",
    async run(trial) {
      const place = trial.place("5/hour");
      const ask = by(trial, place);
      for (const attempt of [1, 2, 3, 1, 2]) {
        await expectAnswer(ask({ id: "m1" }), `attempt ${attempt}`, "the next attempt");
        trial.clock.advance(lease);
      }
      expectSame(await remaining(trial, place), [3], "remaining");
    },
  },

  {
    name: "a heartbeat of the owner keeps a claim, and no other heartbeat does",
    async run(trial) {
      const place = trial.place("5/hour; 1000 tokens/hour");
      const ask = by(trial, place);
      const first = ask({ id: "m1", cost: { tokens: 10 } });
      await first.ask();
      for (let beats = 0; beats < 5; beats += 1) {
        trial.clock.advance(20 * second);
        await first.become("running");
        await expectAnswer(ask({ id: "m1" }), "running", "a request while the owner sends heartbeats");
      }
      trial.clock.advance(lease);
      const next = ask({ id: "m1", result: "mine", cost: { tokens: 10 } });
      await expectAnswer(next, "attempt 2", "a request once the owner is silent");
      await first.become("running");
      await first.become("done", { result: "late" });
      await expectAnswer(ask({ id: "m1" }), "running mine", "a request after the old owner's end");
      trial.clock.advance(lease);
      await expectAnswer(ask({ id: "m1" }), "attempt 3", "the old owner's heartbeats did not keep the claim");
    },
  },

  {
    name: "a late heartbeat or end of the owner keeps a claim that no request has taken over",
    async run(trial) {
      const ask = by(trial, trial.place("5/hour; 1000 tokens/hour"));
      const [first, other] = [ask({ id: "m1", cost: { tokens: 10 } }), ask({ id: "m2" })];
      await first.ask();
      await other.ask();
      trial.clock.advance(lease + 1);
      await first.become("running");
      await other.become("done", { result: "answer" });
      await expectAnswer(ask({ id: "m1" }), "running", "a request after the late heartbeat");
      await expectAnswer(ask({ id: "m2" }), "done answer", "a request after the late end");
    },
  },

  {
    name: "an id is free again if its request is refunded, and stays paid if a later attempt is refunded",
    async run(trial) {
      const place = trial.place("5/hour");
      const ask = by(trial, place);
      const first = ask({ id: "m1" });
      await first.ask();
      await first.become("nothing");
      expectSame(await remaining(trial, place), [5], "remaining after the refund");
      await expectAnswer(ask({ id: "m1", fingerprint: "other" }), "attempt 1", "the next");
      trial.clock.advance(lease);
      const later = ask({ id: "m1", fingerprint: "other" });
      await expectAnswer(later, "attempt 2", "the request that takes over");
      await later.become("nothing");
      // Repeat the end, as if its answer had been lost.
      await later.become("nothing");
      await later.become("running");
      await expectAnswer(
        ask({ id: "m1", fingerprint: "other" }),
        "attempt 2",
        "the next request with that body",
      );
      expectSame(await remaining(trial, place), [4], "remaining at the end");
    },
  },

  {
    name: "an id that ends unfinished is taken over immediately",
    async run(trial) {
      const place = trial.place("5/hour; 1000 tokens/hour");
      const ask = by(trial, place);
      const first = ask({ id: "m1", cost: { tokens: 100 } });
      await first.ask();
      await first.become("unfinished", { used: 30 });
      await first.become("running", { used: 30 });
      await expectAnswer(ask({ id: "m1", cost: { tokens: 100 } }), "attempt 2", "the next");
      expectSame(await remaining(trial, place), [4, 870], "remaining");
    },
  },

  {
    name: "an id is known for 24 hours after its end, or after the lease of a silent owner",
    async run(trial) {
      const ask = by(trial, trial.place("50/second"));
      const first = ask({ id: "m1" });
      await first.ask();
      await first.become("done");
      await ask({ id: "m2" }).ask();
      trial.clock.advance(day - 1);
      await expectAnswer(ask({ id: "m1" }), "done", "just before");
      trial.clock.advance(1);
      await expectAnswer(ask({ id: "m1", fingerprint: "other" }), "attempt 1", "a day later");
      trial.clock.advance(lease - 1);
      await expectAnswer(ask({ id: "m2" }), "attempt 2", "the silent owner's id, just before");
      trial.clock.advance(day + lease);
      await expectAnswer(ask({ id: "m2" }), "attempt 1", "the silent owner's id, a day after its lease");
    },
  },

  {
    name: "an id that was admitted during an outage is claimed afterwards, unless another request has claimed it",
    async run(trial) {
      const ask = by(trial, trial.place("5/hour"));
      const own = ask({ id: "m1", result: "mine" });
      await own.become("running");
      await expectAnswer(
        ask({ id: "m1" }).in(trial.store),
        "attempt 1",
        "after a heartbeat that may not raise",
      );
      const late = ask({ id: "m2", result: "mine" });
      await late.become("running", { raises: true });
      await expectAnswer(ask({ id: "m2" }), "running mine", "after a heartbeat that may raise");
      await ask({ id: "m1", result: "other" }).become("running", { raises: true });
      await expectAnswer(ask({ id: "m1" }), "running", "an id that another request has claimed");
      const done = ask({ id: "m3", result: "answer" });
      await done.become("done");
      await expectAnswer(ask({ id: "m3" }), "done answer", "after an end");
    },
  },

  {
    name: "a take-over whose reply was lost is not charged for its request when it is reported, and cannot refund it",
    async run(trial) {
      const places = [
        trial.place("5/hour; 5/hour token-bucket; 1000 tokens/hour", "caller", "user"),
        trial.place("9/hour fixed-window", "all", "all"),
      ];
      const ask = by(trial, places);
      const all = async () => (await Promise.all(places.map((place) => remaining(trial, place)))).flat();
      await ask({ id: "m1" }).ask();
      trial.clock.advance(lease);
      const next = ask({ id: "m1", cost: { tokens: 100 } });
      await expectAnswer(next, "attempt 2", "the take-over");
      // The same reservation, which believes that it is the first attempt.
      const lost = next.in(trial.store);
      await lost.become("running", { raises: true, unheard: true });
      expectSame(await all(), [4, 4, 900, 8], "remaining after its report");
      await lost.become("running");
      expectSame(await all(), [4, 4, 900, 8], "remaining after its heartbeat");
      await lost.become("nothing", { raises: true, unheard: true });
      expectSame(await all(), [4, 4, 1000, 8], "remaining after its end");
      await expectAnswer(ask({ id: "m1" }), "attempt 2", "the next attempt");
      expectSame(await all(), [4, 4, 1000, 8], "remaining at the end");
    },
  },

  ...["5/hour", "5/hour; 1000 tokens/hour", "5/hour token-bucket", "5/hour fixed-window"].map((limits) => ({
    name: `${limits}: a request whose reply was lost is charged once, although the store has forgotten its reservation`,
    async run(trial: Trial) {
      const place = trial.place(limits);
      const ask = by(trial, place);
      const [first, again, absent] = [ask({ id: "m1" }), ask({ id: "m2" }), ask({ id: "m1" })];
      await first.ask();
      await again.ask();
      trial.clock.advance(100 * second);
      const before = (await remaining(trial, place))[0];
      const lost = first.in(trial.store);
      await lost.become("running", { raises: true, unheard: true });
      await expectAnswer(ask({ id: "m1" }), "running", "another request");
      await lost.become("done", { result: "answer" });
      await expectAnswer(ask({ id: "m1" }), "done answer", "another request after the end");
      await expectAnswer(again, "attempt 1", "the same call again");
      expectSame((await remaining(trial, place))[0], before, "remaining after both");
      await absent.become("running", { raises: true, unheard: true });
      const less = (before ?? 0) - 1;
      expectSame((await remaining(trial, place))[0], less, "remaining after a report that owns no claim");
    },
  })),

  {
    name: "ids belong to a partition, and a reset keeps them",
    async run(trial) {
      const place = trial.place("5/hour");
      await by(trial, place)({ id: "m1" }).ask();
      await expectAnswer(by(trial, trial.place("5/hour", "other"))({ id: "m1" }), "attempt 1", "another key");
      const elsewhere = trial.place("5/hour", "caller", "elsewhere");
      await expectAnswer(by(trial, elsewhere)({ id: "m1" }), "attempt 1", "another layer");
      await trial.reset(place);
      await expectAnswer(by(trial, place)({ id: "m1" }), "running", "after a reset");
    },
  },

  {
    name: "a caller whose requests are not limited may use ids",
    async run(trial) {
      const ask = by(trial, trial.place("unlimited"));
      const first = ask({ id: "m1", result: "stream" });
      await expectAnswer(first, "attempt 1", "the first");
      await expectAnswer(ask({ id: "m1" }), "running stream", "the second");
      trial.clock.advance(lease);
      const next = ask({ id: "m1" });
      await expectAnswer(next, "attempt 2", "a request that takes over");
      await first.become("done");
      await next.become("done", { result: "answer" });
      await expectAnswer(ask({ id: "m1" }), "done answer", "the last");
    },
  },

  {
    name: "ids, fingerprints and results may be any text",
    async run(trial) {
      const ask = by(trial, trial.place("50/hour"));
      const texts = [
        " ",
        '"',
        "\\",
        "'",
        "a b",
        "a:b}{c",
        "\n",
        "ä€😀",
        "%d",
        "$1",
        "0",
        "x".repeat(250),
        "m",
        "M",
      ];
      for (const text of texts) {
        const first = ask({ id: text, fingerprint: text, result: text });
        await expectAnswer(first, "attempt 1", `the first of ${JSON.stringify(text)}`);
        await expectAnswer(ask({ id: text, fingerprint: text }), `running ${text}`, JSON.stringify(text));
        await first.become("done", { result: `${text}!` });
        await expectAnswer(ask({ id: text, fingerprint: text }), `done ${text}!`, JSON.stringify(text));
        await expectAnswer(ask({ id: text, fingerprint: `${text}.` }), "conflict", JSON.stringify(text));
      }
    },
  },

  {
    name: "over several layers, charge and claim are all or nothing",
    async run(trial) {
      const places = [
        trial.place("5/hour", "caller", "user"),
        trial.place("1/hour", "address", "ip"),
        trial.place("9/hour; 100 tokens/hour", "all", "global"),
      ];
      const ask = by(trial, places);
      const all = async () => (await Promise.all(places.map((place) => remaining(trial, place)))).flat();
      const cost = { tokens: 10 };
      const first = ask({ id: "m1", cost });
      await expectAnswer(first, "attempt 1", "the first");
      expectSame(await all(), [4, 0, 8, 90], "remaining");
      await expectAnswer(ask({ id: "m2", cost }), "refused", "a request that another layer refuses");
      expectSame(await all(), [4, 0, 8, 90], "remaining after the refusal");
      trial.clock.advance(lease);
      const next = ask({ id: "m1", cost });
      await expectAnswer(next, "attempt 2", "a request that takes over");
      expectSame(await all(), [4, 0, 8, 90], "remaining after the takeover");
      await expectAnswer(ask({ id: "m1", cost }), "running", "one more");
      await next.become("done", { used: 4 });
      expectSame(await all(), [4, 0, 8, 96], "remaining at the end");
      trial.clock.advance(3600 * second);
      await expectAnswer(ask({ id: "m2", cost }), "attempt 1", "the refused request, once there is room");
      expectSame(await all(), [4, 0, 8, 90], "remaining then");
    },
  },

  {
    name: "a known id is answered before overrides apply, and a request under an override can claim an id",
    async run(trial) {
      if (trial.store.override === undefined) return;
      const place = trial.place("5/hour");
      await by(trial, place)({ id: "m1" }).ask();
      const override = await trial.override(place, { limits: "2/hour", forMs: 3600 * second });
      await expectAnswer(by(trial, place)({ id: "m1" }), "running", "the known id");
      await expectAnswer(by(trial, place)({ id: "m2" }), "overridden", "another id, under the wrong limits");
      const under = { ...trial.under(place, "2/hour"), override };
      await expectAnswer(by(trial, under)({ id: "m2" }), "attempt 1", "the same id, under the right limits");
      await expectAnswer(by(trial, under)({ id: "m3" }), "refused", "a request beyond these limits");
      await trial.block(place);
      await expectAnswer(by(trial, under)({ id: "m3" }), "blocked", "a new id of a blocked caller");
    },
  },
];

/**
 * The tests of ids of requests, which are claimed in the same step as the charge. They run only for stores that support
 * claims.
 */
export const claiming: readonly Case[] = cases.map(({ name, run }) => ({
  name,
  async run(trial) {
    if (trial.store.claims === true) await run(trial);
  },
}));

/** Creates tests that compare random requests with few ids with the definition and with the memory store. */
export function claimingScripts(count: number): Case[] {
  return Array.from({ length: count }, (_, seed) => ({
    name: `claims: random script ${seed + 1}`,
    async run(trial: Trial) {
      if (trial.store.claims === true) await play(trial, seed);
    },
  }));
}

async function play(trial: Trial, seed: number): Promise<void> {
  const random = seeded(seed + 7919);
  const places = [trial.place("9/minute; 300 tokens/minute", "caller", "user")];
  if (random.once(2)) places.push(trial.place("12/minute", "all", "all"));
  const ask = by(trial, places);
  const mirror = memoryStore();
  const oracle = new ClaimOracle();
  const known: { one: Claimant; twin: Claimant; id: string }[] = [];
  for (let step = 0; step < 40; step += 1) {
    const now = trial.clock.now();
    const old = known[random.between(0, known.length)];
    const what = `step ${step}`;
    if (old === undefined || random.once(2)) {
      const id = random.oneOf(["m1", "m2", "m3"]);
      const fingerprint = random.once(6) ? "other" : "body";
      const result = random.once(2) ? "" : `stream ${step}`;
      const cost = { tokens: random.between(0, 60) };
      const one = ask({ id, fingerprint, result, cost });
      const twin = one.in(mirror);
      const outcome = await one.ask();
      const expected = await twin.ask();
      expectSame(answer(outcome), answer(expected), `${what}: the answer that the memory store gives`);
      const claim = { rid: one.rid, fingerprint, result, leaseMs: lease };
      const due = oracle.meet(id, claim, now);
      if (outcome.known !== undefined || outcome.admitted)
        expectSame(answer(outcome), due, `${what}: the answer by definition`);
      else expectSame(due.startsWith("attempt"), true, `${what}: refused though ${due}`);
      if (outcome.admitted) {
        oracle.begin(id, claim, now);
        known.push({ one, twin, id });
      }
    } else {
      const state = random.oneOf(["running", "running", "done", "unfinished", "nothing"] as const);
      // As after a lost reply. On a cluster, a layer in another slot than the claim may then be charged again.
      const raises = old.one.attempt === 1 && places.length === 1 && random.once(4);
      const used = random.between(0, 40);
      const change = { result: random.once(2) ? "" : `answer ${step}`, used, raises, unheard: raises };
      await old.one.become(state, change);
      await old.twin.become(state, change);
      oracle.become(old.id, { rid: old.one.rid, leaseMs: lease, raises }, state, change.result, now);
      if (state !== "running") known.splice(known.indexOf(old), 1);
    }
    for (const place of places) {
      const free = place.limits.groups.map(() => 0);
      const charge = { ...place, needs: free, spends: free };
      const { readings } = mirror.decide([charge], now, true);
      expectSame(
        await remaining(trial, place),
        (readings[0] ?? []).map((reading) => reading.remaining),
        `${what}: remaining of ${place.key}`,
      );
    }
    trial.clock.advance(random.oneOf([0, 0, 1, second, 11 * second, 31 * second]));
  }
}
