import { expect, test } from "vitest";
import { modelToName } from "./model-choice.ts";

const me = { models: ["small", "large"] };

test("a message names the chosen model while it is offered", () => {
  expect(modelToName(me, "large")).toBe("large");
  expect(modelToName(me, "gone")).toBeUndefined();
  expect(modelToName({ models: ["small"] }, "large")).toBeUndefined();
});

test("a message names no model without a choice, or for the default model", () => {
  expect(modelToName(me, null)).toBeUndefined();
  expect(modelToName(me, "small")).toBeUndefined();
  expect(modelToName(null, "large")).toBeUndefined();
});
