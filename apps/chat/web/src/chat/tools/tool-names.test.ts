import { expect, test } from "vitest";
import { fieldWords, toolWords } from "./tool-names.ts";

test("known tools are described, and unknown tools are named", () => {
  expect(toolWords("take_home").done).toBe("Worked out take-home pay");
  expect(toolWords("look_up-rates").running).toBe("Using look up rates");
  expect(toolWords("").running).toBe("Using a tool");
});

test("field names become words", () => {
  expect(fieldWords("taxYear")).toBe("Tax year");
  expect(fieldWords("student_loan_plans")).toBe("Student loan plans");
});
