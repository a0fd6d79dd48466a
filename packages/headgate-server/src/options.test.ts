import { HeadgateError } from "headgate";
import { expect, it } from "vitest";
import { beyond, readLog, type Summary, summarize } from "./index.ts";

// biome-ignore lint/suspicious/noExplicitAny: the calls below have wrong types on purpose.
const wrong = (value: unknown): any => value;
const summary = {
  replayed: { refused: { decisions: 9 } },
  logged: { admitted: {} },
  decisions: 10,
} as unknown as Summary;
const summed = (options: object) => () =>
  summarize(wrong({}), wrong({}), wrong({ decisions: [] }), true, wrong(options));

it.each<[string, () => unknown, string]>([
  [
    "readLog(text)",
    () => readLog(wrong("./decisions")),
    'readLog takes a list of files and folders, such as ["./decisions"], got "./decisions".',
  ],
  [
    "readLog: limitr",
    () => readLog(["./decisions"], wrong({ limitr: "chat" })),
    'readLog has no option "limitr". It takes limiter, newest.',
  ],
  [
    "readLog: limiter",
    () => readLog(["./decisions"], wrong({ limiter: 5 })),
    "limiter of readLog must be the name of a limiter, got 5.",
  ],
  [
    "readLog: newest",
    () => readLog(["./decisions"], wrong({ newest: "100" })),
    'newest of readLog must be a number from 1 to 10000000, got "100".',
  ],
  ["summarize: form", summed({ form: 5 }), 'summarize has no option "form". It takes from, to, prices, top.'],
  [
    "summarize: from",
    summed({ from: "2026-11-01" }),
    'from of summarize must be a number from 0 to 8640000000000000, got "2026-11-01".',
  ],
  [
    "summarize: prices",
    summed({ prices: { currency: "GBP", tokens: 1 } }),
    'prices of summarize has no option "tokens". It takes currency, perUnit.',
  ],
  [
    "summarize: a price",
    summed({ prices: { currency: "GBP", perUnit: { tokens: "1" } } }),
    'The price of tokens must be a number from 0 to 9007199254740991, got "1".',
  ],
  [
    "beyond: newlyrefused",
    () => beyond(summary, wrong({ newlyrefused: { amount: 1 } })),
    'beyond has no option "newlyrefused".',
  ],
  [
    "beyond: a threshold without a value",
    () => beyond(summary, wrong({ refused: {} })),
    "refused of beyond must be { amount: 300 } or { share: 0.01 }, got an object.",
  ],
  [
    "beyond: a share in per cent",
    () => beyond(summary, { refused: { share: 50 } }),
    "share of refused must be a number from 0 to 1, got 50.",
  ],
  [
    "beyond: an amount that is text",
    () => beyond(summary, wrong({ refused: { amount: "1" } })),
    'amount of refused must be a number from 0 to 9007199254740991, got "1".',
  ],
])("the package rejects wrong options: %s", async (_call, run, message) => {
  const error = await (async () => run())().then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HeadgateError);
  expect((error as HeadgateError).message).toContain(message);
});
