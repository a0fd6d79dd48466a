import { describe, expect, it } from "vitest";
import { compileLimits } from "../../core/limit-set.ts";
import type { Adjustment, Charge, Refund } from "../../core/store.ts";
import { memoryStore } from "./index.ts";

const start = Date.UTC(2026, 0, 1);

function ridOf(n: number): string {
  return n.toString(16).padStart(24, "0");
}

function partitionOf(text: string, key = "caller") {
  return { space: "layer", key, limits: compileLimits("layer", text) };
}

type Partition = ReturnType<typeof partitionOf>;

/** Asks for one request and this number of tokens. The request is spent at once. */
function chargeOf(partition: Partition, tokens: number, requests = 1): Charge {
  const { groups } = partition.limits;
  const spends = groups.map(({ unit }) => (unit === "requests" ? requests : 0));
  const holds = groups.map(({ unit }) => (unit === "requests" ? 0 : tokens));
  return { ...partition, needs: spends.map((spent, g) => spent + (holds[g] ?? 0)), spends, holds };
}

function endOf(
  partition: Partition,
  n: number,
  { seq = 2, tokens = 0, requests = 1, refunds = [] as Refund[], known = 0 } = {},
): Adjustment {
  const { groups } = partition.limits;
  const amounts = (held: number, spent: number) =>
    groups.map(({ unit }) => (unit === "requests" ? spent : held));
  return {
    ...partition,
    rid: ridOf(n),
    seq,
    ended: true,
    raises: false,
    known: amounts(0, known),
    used: amounts(tokens, requests),
    held: amounts(0, 0),
    refunds,
  };
}

const byEveryAlgorithm = [
  "5/minute; 100 tokens/minute",
  "5/minute token-bucket; 100 tokens/minute",
  "5/minute fixed-window; 100 tokens/minute",
  "5/minute fixed-window from first-use; 100 tokens/minute",
  "5/minute sliding-counter; 100 tokens/minute",
];

describe("a request that was not served is refunded", () => {
  it.each(byEveryAlgorithm)("if the answer to its admission was lost, under %s", (text) => {
    const store = memoryStore();
    const partition = partitionOf(text);
    store.decide([chargeOf(partition, 10)], start, false, { rid: ridOf(1), seq: 1 });
    const { readings } = store.adjust([endOf(partition, 1, { requests: 0 })], start + 20);
    expect(readings[0]?.map(({ remaining }) => remaining)).toEqual([5, 100]);
  });

  it.each(byEveryAlgorithm)(
    "if it was admitted at the first try and answered at the second, under %s",
    (text) => {
      const store = memoryStore();
      const partition = partitionOf(text);
      const ask = (at: number) =>
        store.decide([chargeOf(partition, 10)], at, false, { rid: ridOf(1), seq: 1 });
      ask(start);
      const { now, marks } = ask(start + 10);
      const refunds = [{ group: 0, amount: 1, chargedAt: now, mark: marks[0]?.[0] ?? 0 }];
      const end = endOf(partition, 1, { requests: 0, known: 1, refunds });
      const { readings } = store.adjust([end], start + 20);
      expect(readings[0]?.map(({ remaining }) => remaining)).toEqual([5, 100]);
    },
  );

  it.each(byEveryAlgorithm)(
    "once, without any other request, even if the call is repeated, under %s",
    (text) => {
      const store = memoryStore();
      const partition = partitionOf(text);
      for (const n of [1, 2])
        store.decide([chargeOf(partition, 10)], start, false, { rid: ridOf(n), seq: 1 });
      for (const seq of [2, 3, 4]) store.adjust([endOf(partition, 1, { requests: 0, seq })], start);
      const { readings } = store.decide([chargeOf(partition, 0, 0)], start, true);
      expect(readings[0]?.map(({ remaining }) => remaining)).toEqual([4, 90]);
    },
  );
});
