import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { script, scriptSha } from "./index.ts";

it("is known by its SHA-1", () => {
  expect(scriptSha).toBe(createHash("sha1").update(script).digest("hex"));
});
