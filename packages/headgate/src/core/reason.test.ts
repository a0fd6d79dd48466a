import { expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/index.ts";
import { reasonOf } from "./reason.ts";

/** Returns a value that cannot be converted to text. */
const mute = () => Object.create(null) as object;

it("reasonOf and textOf describe any thrown value", () => {
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
  "if a plan function %s a value without text, the default plan applies and the error is reported",
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

it("if a key function throws a value without text, the caller counts as unidentified and the error is reported", async () => {
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
