import { describe, expect, it } from "vitest";
import { type TripOptions, trips } from "./trips.ts";

const usual: TripOptions = { mostUnderWay: 2, mostTogether: 3, mostWaiting: 5 };

/** A carrier whose trips end when the test says so. */
function carrier(options: Partial<TripOptions> = {}) {
  const sent: { requests: readonly number[]; answer(): void; fail(error: Error): void }[] = [];
  const ask = trips<number, string>(
    (requests) =>
      new Promise((resolve, reject) => {
        sent.push({
          requests,
          answer: () => resolve(requests.map((request) => `answer ${request}`)),
          fail: reject,
        });
      }),
    { ...usual, ...options },
  );
  return { ask, sent, loads: () => sent.map(({ requests }) => requests) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("trips", () => {
  it("sends requests of one turn together, in order", async () => {
    const { ask, sent, loads } = carrier();
    const asked = [ask(1), ask(2)];
    await Promise.resolve();
    asked.push(ask(3));
    await turn();
    expect(loads()).toEqual([[1, 2, 3]]);
    sent[0]?.answer();
    expect(await Promise.all(asked)).toEqual(["answer 1", "answer 2", "answer 3"]);
  });

  it("limits the requests in a trip, and the trips under way", async () => {
    const { ask, sent, loads } = carrier({ mostWaiting: 100 });
    const asked = Array.from({ length: 8 }, (_, n) => ask(n));
    await turn();
    expect(loads()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    asked.push(ask(8));
    await turn();
    expect(loads()).toHaveLength(2);
    sent[1]?.answer();
    await turn();
    expect(loads()[2]).toEqual([6, 7, 8]);
    sent[0]?.answer();
    sent[2]?.answer();
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 9 }, (_, n) => `answer ${n}`));
  });

  it("divides the requests of a turn among the free trips, unless there are only a few", async () => {
    const shares = async (count: number) => {
      const { ask, loads } = carrier({ mostTogether: 128, mostWaiting: 1_000 });
      for (let n = 0; n < count; n += 1) void ask(n);
      await turn();
      return loads().map(({ length }) => length);
    };
    expect(await shares(8)).toEqual([8]);
    expect(await shares(9)).toEqual([8, 1]);
    expect(await shares(65)).toEqual([33, 32]);
    expect(await shares(300)).toEqual([128, 128]);
  });

  it("sends waiting requests with the next free trip", async () => {
    const { ask, sent, loads } = carrier({ mostTogether: 128, mostWaiting: 1_000 });
    for (let n = 0; n < 20; n += 1) void ask(n);
    await turn();
    for (let n = 0; n < 30; n += 1) void ask(n);
    sent[0]?.answer();
    await turn();
    expect(loads().map(({ length }) => length)).toEqual([10, 10, 30]);
  });

  it("rejects all requests of a failed trip, and continues", async () => {
    const { ask, sent } = carrier({ mostUnderWay: 1 });
    const together = [ask(1), ask(2)];
    await turn();
    const later = ask(3);
    sent[0]?.fail(new Error("down"));
    expect(await Promise.allSettled(together)).toMatchObject([
      { status: "rejected", reason: { message: "down" } },
      { status: "rejected", reason: { message: "down" } },
    ]);
    await turn();
    sent[1]?.answer();
    expect(await later).toBe("answer 3");
  });

  it("rejects a request at once if too many are waiting", async () => {
    const { ask, sent } = carrier({ mostUnderWay: 1, mostWaiting: 2, mostTogether: 1 });
    const first = ask(0);
    await turn();
    const waiting = [ask(1), ask(2)];
    await expect(ask(3)).rejects.toThrow("2 requests wait for PostgreSQL already.");
    for (let n = 0; n < 3; n += 1) {
      sent[n]?.answer();
      await turn();
    }
    expect(await Promise.all([first, ...waiting])).toEqual(["answer 0", "answer 1", "answer 2"]);
  });
});
