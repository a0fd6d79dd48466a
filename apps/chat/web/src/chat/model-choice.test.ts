import { expect, test } from "vitest";
import { modelToName } from "./model-choice.ts";

const me = { models: ["small", "large"] };

test("a message names the model that was chosen, while it is offered", () => {
  expect(modelToName(me, "large")).toBe("large");
  expect(modelToName(me, "gone")).toBeUndefined();
  expect(modelToName({ models: ["small"] }, "large")).toBeUndefined();
});

test("a message names none where nobody chose, or the one that answers anyway", () => {
  expect(modelToName(me, null)).toBeUndefined();
  expect(modelToName(me, "small")).toBeUndefined();
  expect(modelToName(null, "large")).toBeUndefined();
});
