import { drawPicture, type Panel } from "./drawing.ts";
import { type Moments, mostByTrying, mostInAnyWindow, replay } from "./replay.ts";

const quota = 10;
const windowMs = 60_000;
const places = 3;
const servedMs = 6_000;
const lengthMs = 240_000;

function every(ms: number, fromMs: number, toMs: number): Moments {
  return Array.from({ length: Math.ceil((toMs - fromMs) / ms) }, (_, n) => fromMs + n * ms);
}

/** Four minutes of requests: a few, two bursts around a full minute, three times too many, and one more burst. */
const traffic: Moments = [
  ...every(6_000, 2_000, 40_000),
  ...every(500, 53_000, 59_000),
  ...every(500, 61_000, 67_000),
  ...every(2_000, 90_000, 170_000),
  ...every(250, 212_000, 215_000),
];

/** The picture of docs/choosing-an-algorithm.md, and the rows of its table of figures, in Markdown. */
export interface AlgorithmFigures {
  readonly picture: string;
  readonly rows: readonly string[];
}

/** Compares how the algorithms admit the same traffic. The result does not depend on the machine or the time. */
export function compareAlgorithms(): AlgorithmFigures {
  const counting = ["sliding-window", "token-bucket", "fixed-window", "sliding-counter"].map(countingFigures);
  const all = [...counting, concurrentFigures()];
  return {
    picture: drawPicture(
      all.map(({ panel }) => panel),
      lengthMs,
    ),
    rows: all.map(({ row }) => row),
  };
}

interface Figures {
  readonly panel: Panel;
  readonly row: string;
}

function countingFigures(algorithm: string): Figures {
  const limits = `${quota}/minute ${algorithm}`;
  const outcome = replay(limits, traffic, 0);
  const most = mostInAnyWindow(outcome.admitted, windowMs);
  return {
    panel: {
      title: algorithm,
      notes: [`${quota}/minute`, admittedOfAll(outcome.admitted), `at most ${most} in a minute`],
      ...outcome,
      countsForMs: windowMs,
      quota,
      scale: 2 * quota,
    },
    row: row(
      limits,
      outcome.admitted,
      `${most} in a minute`,
      `${mostByTrying(limits, windowMs)} in a minute`,
    ),
  };
}

function concurrentFigures(): Figures {
  const limits = `${places} concurrent`;
  const outcome = replay(limits, traffic, servedMs);
  const most = mostInAnyWindow(outcome.admitted, servedMs);
  // Repeated bursts, while each admitted request takes some time.
  const crowd = every(1, 0, servedMs);
  const worst = mostInAnyWindow(replay(limits, crowd, servedMs).admitted, servedMs);
  return {
    panel: {
      title: "concurrent",
      notes: [
        `${places} at once, ${servedMs / 1000} s each`,
        admittedOfAll(outcome.admitted),
        `at most ${most} at once`,
      ],
      ...outcome,
      countsForMs: servedMs,
      quota: places,
      scale: 2 * places,
    },
    row: row(limits, outcome.admitted, `${most} at once`, `${worst} at once`),
  };
}

function admittedOfAll(admitted: Moments): string {
  return `${admitted.length} of ${traffic.length} admitted`;
}

function row(limits: string, admitted: Moments, most: string, worst: string): string {
  return `| \`${limits}\` | ${admitted.length} of ${traffic.length} | ${most} | ${worst} |`;
}
