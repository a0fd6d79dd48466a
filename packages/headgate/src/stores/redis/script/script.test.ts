import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { script, scriptSha } from "./index.ts";
import { presenceScript, presenceSha } from "./presence.ts";
import { sharedTextScript, sharedTextSha } from "./shared-text.ts";

it("has the recorded SHA-1", () => {
  expect(scriptSha).toBe(createHash("sha1").update(script).digest("hex"));
});

it("has the recorded SHA-1 if it counts processes", () => {
  expect(presenceSha).toBe(createHash("sha1").update(presenceScript).digest("hex"));
});

it("has the recorded SHA-1 if it stores a text", () => {
  expect(sharedTextSha).toBe(createHash("sha1").update(sharedTextScript).digest("hex"));
});
