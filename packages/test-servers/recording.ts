import { isInDoubt } from "../headgate/src/core/ruling.ts";
import type { Outcome, Store } from "../headgate/src/core/store.ts";
import { actionsOf } from "../headgate/src/testing/model/actions.ts";
import { receive } from "../headgate/src/testing/model/calls.ts";
import { overstate } from "../headgate/src/testing/model/histories.ts";
import type { RecordedCall } from "../headgate/src/testing/model/recorded.ts";
import { type Client, type Message, newWorld, type Setting } from "../headgate/src/testing/model/world.ts";
import { seeded } from "../headgate/src/testing/store-suite/random.ts";

type Call = Omit<RecordedCall, "endedAt" | "outcome">;

/** Gets a call before it is sent, and then what became of it. */
export interface Journal {
  sent(n: number, call: Call): void;
  ended(n: number, at: number, outcome: Outcome | "not applied"): void;
}

/** The clock that all processes of this machine share, ms. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export interface RecordingOptions {
  readonly store: () => Store;
  readonly setting: Pick<Setting, "places" | "unit" | "claims">;
  readonly journal: Journal;
  /** Distinguishes the reservations of this process from those of others. */
  readonly process: number;
  readonly seed: number;
  /** A call that is not answered within this time, ms, is in doubt. */
  readonly longestCallMs: number;
}

export interface Recording {
  /** Lets each client take some steps at this time of the store, all clients at once. */
  round(now: number, steps: number): Promise<void>;
  /** Resolves once no call is under way any more. */
  settled(): Promise<void>;
}

/** Uses a store as the clients of the model do, and records every call. Calls without an answer are asked again, given up or forgotten. */
export function record({
  store,
  setting,
  journal,
  process,
  seed,
  longestCallMs,
}: RecordingOptions): Recording {
  const random = seeded(seed);
  const clients = 3;
  let reservations = 0;
  let calls = 0;
  const underWay = new Set<Promise<unknown>>();
  const world = newWorld({
    ...setting,
    clients,
    tickMs: 1,
    longestCallMs: 1,
    calls: 9,
    asks: setting.unit === "concurrent" ? [1] : [1, 2],
  });
  for (let c = 0; c < clients; c += 1) renew(c);

  function renew(c: number): void {
    reservations += 1;
    const fresh = newWorld({ ...world.setting, clients: 1 }).clients[0] as Client;
    const rid = (process * 1_000_000 + reservations).toString(16).padStart(24, "0");
    world.clients[c] = { ...fresh, rid };
    world.net = world.net.filter((message) => message.client !== c);
  }

  async function step(c: number): Promise<void> {
    const { phase } = world.clients[c] as Client;
    if (phase === "over" || phase === "refused" || (phase !== "idle" && random.once(25))) renew(c);
    const mine = actionsOf(world).filter(({ name }) => name.startsWith(`client ${c} `));
    const action = mine[random.between(0, mine.length - 1)];
    if (action === undefined) return renew(c);
    const { seq, doubted } = world.clients[c] as Client;
    if (phase === "open" && seq < world.setting.calls && setting.unit !== "concurrent" && random.once(8))
      overstate(world, c);
    else action.run(world);
    const client = world.clients[c] as Client;
    const message = world.net.findLast((one) => one.client === c);
    const isAgain = client.doubted !== doubted || action.name.endsWith("ends again");
    if (message === undefined || (client.seq === seq && !isAgain)) return;
    await send(c, message);
  }

  async function send(c: number, message: Message): Promise<void> {
    const { rid } = world.clients[c] as Client;
    const { charges, claim, adjustments = [], seq } = message;
    const { now } = world;
    const hold = { rid, seq };
    const n = calls;
    calls += 1;
    const sentAt = sharedClock();
    journal.sent(
      n,
      charges === undefined
        ? ({ kind: "adjust", adjustments, now, sentAt } as Call)
        : ({ kind: "decide", charges, peek: false, hold, claim, now, sentAt } as Call),
    );
    let isFailed = false;
    const asked = (async () =>
      charges === undefined
        ? store().adjust(adjustments, now)
        : store().decide(charges, now, false, hold, claim))();
    const noted = asked.then(
      (outcome) => journal.ended(n, sharedClock(), outcome),
      (error: unknown) => {
        isFailed = !isInDoubt(error);
        if (isFailed) journal.ended(n, sharedClock(), "not applied");
      },
    );
    underWay.add(noted);
    void noted.finally(() => underWay.delete(noted));
    const outcome = await inTime(
      asked.catch(() => undefined),
      longestCallMs,
    );
    // Not connected. It soon is.
    if (isFailed) await new Promise((resolve) => setTimeout(resolve, 10));
    if (world.clients[c]?.rid !== rid) return;
    // An ask stays, because the client may ask again.
    if (message.kind !== "ask" || outcome !== undefined)
      world.net = world.net.filter((one) => one.client !== c || (one.kind === "ask" && one !== message));
    if (outcome !== undefined) receive(world, message, outcome);
    // A client that is refused after doubt gives up, which is a call too.
    const made = world.net.findLast((one) => one.client === c && one !== message && one.kind !== "ask");
    if (made !== undefined) await send(c, made);
  }

  return {
    async round(now, steps) {
      world.now = now;
      await Promise.all(
        Array.from({ length: clients }, async (_, c) => {
          for (let done = 0; done < steps; done += 1) await step(c);
        }),
      );
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function inTime<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
