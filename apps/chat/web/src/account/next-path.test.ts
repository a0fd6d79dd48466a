import { expect, test } from "vitest";
import { nextPath } from "./next-path.ts";

test("a path of this page is accepted", () => {
  expect(nextPath("?next=%2Fc%2Fabc-123")).toBe("/c/abc-123");
});

test.each([
  "",
  "?next=",
  "?next=//evil.example",
  "?next=/\\evil.example",
  "?next=https://evil.example",
  "?next=javascript:alert(1)",
  "?next=/%09/evil",
])("%j is replaced by the home page", (search) => {
  expect(nextPath(search)).toBe("/");
});
