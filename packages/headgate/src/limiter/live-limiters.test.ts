import { expect, it, vi } from "vitest";
import { memoryStore } from "../stores/memory/index.ts";
import { createLimiter } from "./limiter.ts";

function made(name: string, limits: string, store: Parameters<typeof createLimiter>[0]["store"]) {
  const onWarning = vi.fn();
  const layers = [{ name: "user", key: (user: string) => user, limits }];
  const limiter = createLimiter({ name, layers, onWarning, ...(store === undefined ? {} : { store }) });
  return { limiter, onWarning };
}

it.each([
  ["a store object", memoryStore()],
  ["a URL", "redis://:hunter2@127.0.0.1:1"],
])("warns about two limiters with one name and different limits on %s", async (_what, store) => {
  const first = made("compared", "5/minute", store);
  const { limiter, onWarning } = made("compared", "9/minute", store);
  expect(first.onWarning).not.toHaveBeenCalled();
  expect(onWarning.mock.calls).toEqual([
    [
      'Two limiters named "compared" share a store and have different limits: user 5/minute; and user 9/minute. ' +
        "Give each its own name, or close the first one.",
    ],
  ]);
  await first.limiter.close();
  await first.limiter.close();
  await limiter.close();
  expect(made("compared", "5/minute", store).onWarning).not.toHaveBeenCalled();
});

it("does not warn about equal limits, other names, or stores that are not shared", () => {
  const store = memoryStore();
  for (const { onWarning } of [
    made("apart", "5/minute", store),
    made("apart", "5/minute", store),
    made("apart-too", "9/minute", store),
    made("apart", "9/minute", "memory://"),
    made("apart", "7/minute", "memory://"),
    made("apart", "8/minute", undefined),
  ]) {
    expect(onWarning).not.toHaveBeenCalled();
  }
});

it("warns once about limiters that are created for each request", () => {
  const warnings: string[] = [];
  for (let n = 0; n < 100; n += 1)
    warnings.push(...made("in-a-handler", "5/minute", undefined).onWarning.mock.calls.flat());
  expect(warnings).toEqual([
    '20 limiters named "in-a-handler" have been created and not closed. Create a limiter once, when the process starts: a new limiter ' +
      "for each request counts nothing. Close limiters that are no longer needed.",
  ]);
});

it("does not warn about closed limiters", async () => {
  for (let n = 0; n < 100; n += 1) {
    const { limiter, onWarning } = made("closed", "5/minute", undefined);
    await limiter.close();
    expect(onWarning).not.toHaveBeenCalled();
  }
});
