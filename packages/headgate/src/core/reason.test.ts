import { expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/index.ts";
import { reasonOf } from "./reason.ts";

/** Values without text. */
const mute = () => Object.create(null) as object;

it("describes any thrown value", () => {
  expect(reasonOf(new Error("lost"))).toBe("lost");
  expect(reasonOf("lost")).toBe("lost");
  expect(reasonOf(Symbol("lost"))).toBe("Symbol(lost)");
  expect(reasonOf(undefined)).toBe("undefined");
  expect(reasonOf(mute())).toBe("an object");
  const error = new Error("lost");
  Object.defineProperty(error, "message", { get: () => mute().toString() });
  expect(reasonOf(error)).toBe("an object");
});

const failing: [string, () => unknown][] = [
  [
    "throws",
    () => {
      throw mute();
    },
  ],
  ["rejects", () => Promise.reject(mute())],
];

it.each(failing)(
  "a plan function that %s a value without text means the default plan, and is reported",
  async (_how, plan) => {
    const reports: unknown[] = [];
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [
        {
          name: "user",
          key: (user) => user,
          plans: { free: "1/minute" },
          plan: plan as never,
          defaultPlan: "free",
        },
      ],
      clock: fakeClock(),
      onError: (error) => reports.push(error),
    });
    expect([(await limiter.admit("a")).admitted, (await limiter.admit("a")).admitted]).toEqual([true, false]);
    expect(reports).toEqual([expect.objectContaining({ code: "lookup-failed" })]);
  },
);

it("a key function that throws a value without text means an unidentified caller, and is reported", async () => {
  const reports: unknown[] = [];
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [
      {
        name: "user",
        key: () => {
          throw mute();
        },
        limits: "1/minute",
      },
    ],
    onError: (error) => reports.push(error),
  });
  expect([(await limiter.admit("a")).admitted, (await limiter.admit("b")).admitted]).toEqual([true, false]);
  expect(reports).toHaveLength(1);
});
