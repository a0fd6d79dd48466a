import { describe, expect, it } from "vitest";
import { compileLimits } from "../../core/limit-set.ts";
import { Accounts } from "./accounts.ts";
import { GeneralPath } from "./general.ts";
import { Held } from "./held.ts";
import { Resets } from "./resets.ts";

const most = 100;
const limits = compileLimits("layer", "5/minute; 1000 tokens/day");
const afterAll = 10 * 60_000;

function ridOf(n: number): string {
  return n.toString(16).padStart(24, "0");
}

function flood() {
  const held = new Held(most);
  const path = new GeneralPath(new Accounts(10_000), held, new Resets());
  const ask = (n: number, tokens: number, now = 0) => {
    const charge = { space: "layer", key: `caller${n}`, limits };
    const amounts = { needs: [1, tokens], spends: [1, 0], holds: [0, tokens] };
    return path.decide([{ ...charge, ...amounts }], now, false, { rid: ridOf(n), seq: 1 });
  };
  const end = (n: number, now = 0) => {
    const partition = { space: "layer", key: `caller${n}`, limits };
    const totals = { known: [1, 0], used: [1, 9], held: [0, 0], refunds: [] };
    const adjustment = { ...partition, rid: ridOf(n), seq: 2, ended: true, raises: false, ...totals };
    return path.adjust([adjustment], now);
  };
  return { held, ask, end };
}

describe("partitions with holds", () => {
  it("are refused above the maximum that is kept", () => {
    const { held, ask } = flood();
    for (let n = 0; n < most; n += 1) expect(ask(n, 10).admitted).toBe(true);
    const { admitted, refusedFor } = ask(most, 10);
    expect([admitted, refusedFor, held.size]).toEqual([false, "crowded", most]);
  });

  it("are admitted again once others have expired, without any other call", () => {
    const { ask } = flood();
    for (let n = 0; n < most; n += 1) ask(n, 10);
    expect(ask(most, 10, afterAll).admitted).toBe(true);
  });

  it("stay within the maximum under a flood of requests without holds, and all of those are decided", () => {
    const { held, ask } = flood();
    for (let n = 0; n < 3 * most; n += 1) expect(ask(n, 0).admitted).toBe(true);
    expect(held.size).toBe(most);
  });

  it("stay within the maximum under a flood of ends, and all ends are charged", () => {
    const { held, end } = flood();
    for (let n = 0; n < 3 * most; n += 1) expect(end(n).readings[0]?.[1]?.remaining).toBe(991);
    expect(held.size).toBe(most);
  });
});
