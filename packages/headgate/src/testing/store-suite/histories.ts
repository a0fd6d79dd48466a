import { compileLimits } from "../../core/limit-set.ts";
import type { Adjustment, Outcome } from "../../core/store.ts";
import { play } from "../model/histories.ts";
import { type Call, difference, type Setting } from "../model/world.ts";
import { expectSame } from "./expect.ts";
import type { Case } from "./laws.ts";
import { seeded } from "./random.ts";
import type { Trial } from "./trial.ts";

const few = compileLimits("suite", "3 tokens/minute sliding-window; 2/minute");
const many = compileLimits("suite", "9 tokens/minute sliding-window; 9/minute");

interface Played {
  readonly layers: readonly string[];
  readonly unit?: string;
  readonly more?: Partial<Setting>;
}

const settings: readonly Played[] = [
  { layers: ["6 tokens/minute sliding-window; 4/minute", "8 tokens/minute"], more: { claims: true } },
  { layers: ["3 concurrent; 4/minute", "2 concurrent"], unit: "concurrent", more: { claims: true } },
  {
    layers: ["6 tokens/minute sliding-window; 4/minute", "8 tokens/minute fixed-window"],
    more: { overriding: [few, many], resets: true },
  },
  {
    layers: ["6 tokens/minute sliding-window; 4/minute"],
    more: { overriding: [few, many], claims: true, resets: true },
  },
];

/**
 * Creates tests that play histories of the model of reservations: calls that are late, lost, repeated and out of order,
 * crashes, overrides, and requests with one id. Every invariant must hold in the model, and the store must give the
 * model's answers.
 */
export function recordedHistories(count: number): readonly Case[] {
  return settings.map((setting, n) => ({
    name: `answers ${count} histories of the model as it does: ${setting.layers.join(" | ")}, ${Object.keys(setting.more ?? {}).join(", ")}`,
    async run(trial: Trial) {
      for (let seed = 1; seed <= count; seed += 1) await playOne(trial, setting, 1000 * n + seed);
    },
  }));
}

async function playOne(
  trial: Trial,
  { layers, unit = "tokens", more = {} }: Played,
  seed: number,
): Promise<void> {
  const { store, clock } = trial;
  const isWhole =
    (more.claims !== true || store.claims === true) &&
    (more.overriding === undefined || store.override !== undefined);
  if (!isWhole) return;
  const random = seeded(seed);
  const places = layers.map((limits, l) => ({
    ...trial.place("1/minute", `caller ${seed}`, `layer${l}`),
    limits: compileLimits("suite", limits),
  }));
  const calls: Call[] = [];
  const setting: Setting = {
    places,
    unit,
    clients: 6,
    tickMs: 15_000,
    longestCallMs: 45_000,
    calls: 9,
    asks: unit === "concurrent" ? [1] : [1, 3],
    ...more,
    record: (call) => calls.push(call),
  };
  const choices = Array.from({ length: 120 }, () => random.between(0, 2 ** 30));
  expectSame(play(setting, choices), undefined, `an invariant of the model, in history ${seed}`);
  const marks = new Marks();
  for (const [n, call] of calls.entries()) {
    const what = `history ${seed}, call ${n}: ${call.kind}`;
    clock.set(call.now);
    if (call.kind === "override") {
      await store.override?.([call.place], call.terms, call.now);
    } else if (call.kind === "reset") {
      await store.reset(call.places, call.now);
    } else if (call.kind === "decide") {
      const { charges, hold, claim, outcome } = call;
      const got = await store.decide(charges, call.now, false, hold, claim);
      expectSame(difference(outcome, got, true), undefined, what);
      marks.note(hold.rid, outcome, got);
    } else {
      const got = await store.adjust(marks.translate(call.adjustments), call.now);
      expectSame(difference(call.outcome, got, true), undefined, what);
      marks.note(call.adjustments[0]?.rid ?? "", call.outcome, got);
    }
  }
}

/** The store's mark for each mark of the model: only the store that made a mark can read it. */
class Marks {
  readonly #marks = new Map<string, number>();

  note(rid: string, wanted: Outcome, got: Outcome): void {
    for (const [p, groups] of wanted.marks.entries()) {
      for (const [group, mark] of groups.entries()) {
        this.#marks.set(`${rid} ${p} ${group} ${wanted.now} ${mark}`, got.marks[p]?.[group] ?? 0);
      }
    }
  }

  translate(adjustments: readonly Adjustment[]): Adjustment[] {
    return adjustments.map((adjustment, p) => ({
      ...adjustment,
      refunds: adjustment.refunds.map((refund) => {
        const { group, chargedAt, mark } = refund;
        return {
          ...refund,
          mark: this.#marks.get(`${adjustment.rid} ${p} ${group} ${chargedAt} ${mark}`) ?? mark,
        };
      }),
    }));
  }
}
