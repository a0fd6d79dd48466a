import { expect, test } from "vitest";
import { isSendKey } from "./send-key.ts";

const enter = { key: "Enter", shiftKey: false, altKey: false, isComposing: false, keyCode: 13 };

test("Enter sends, with or without Ctrl or Cmd", () => {
  expect(isSendKey(enter)).toBe(true);
});

test.each([
  ["Shift+Enter, a new line", { shiftKey: true }],
  ["Alt+Enter", { altKey: true }],
  ["the Enter that ends a composition", { isComposing: true }],
  ["the Enter that ends a composition in Safari", { keyCode: 229 }],
  ["any other key", { key: "a", keyCode: 65 }],
])("%s does not send", (_, changes) => {
  expect(isSendKey({ ...enter, ...changes })).toBe(false);
});
