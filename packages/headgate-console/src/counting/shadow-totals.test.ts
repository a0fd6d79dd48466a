import { createLimiter } from "headgate";
import { fakeClock } from "headgate/testing";
import { expect, it } from "vitest";
import { createCollector } from "./collector.ts";
import { addShadows } from "./shadow-totals.ts";

async function summaryOf(requests: number, startsAt: number, shadow: string) {
  const clock = fakeClock(startsAt);
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "2/minute" }],
    clock,
  });
  limiter.setShadow([{ name: "user", limits: shadow }]);
  for (let n = 0; n < requests; n += 1) await limiter.admit("ann");
  const summary = createCollector([limiter], { clock }).summary();
  void limiter.close();
  return JSON.parse(JSON.stringify(summary));
}

it("addShadows adds up the reports of one shadow, and of no other shadow", async () => {
  const now = Date.UTC(2026, 10, 10, 9);
  const summaries = [
    await summaryOf(3, now, "1/minute"),
    await summaryOf(2, now - 5_000, "1/minute"),
    await summaryOf(5, now - 3_600_000, "1/minute"),
    await summaryOf(5, now, "4/minute"),
  ];
  const [{ shadows }] = summaries;
  expect(addShadows(summaries, "chat", shadows[0].policy, now)).toEqual({
    processes: 2,
    decisions: 5,
    wouldRefuse: 3,
    newlyRefused: 2,
    stillRefused: 1,
    newlyAdmitted: 0,
    overridden: 0,
    undecided: 0,
    extensions: { decisions: 0, wouldRefuse: 0 },
    layers: [{ layer: "user", plan: null, decisions: 5, wouldRefuse: 3, newlyRefused: 2, stillRefused: 1 }],
  });
  expect(addShadows(summaries, "other", shadows[0].policy, now)).toMatchObject({
    processes: 0,
    decisions: 0,
  });
});
