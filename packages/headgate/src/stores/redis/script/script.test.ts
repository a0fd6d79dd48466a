import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { script, scriptSha } from "./index.ts";
import { presenceScript, presenceSha } from "./presence.ts";
import { sharedTextScript, sharedTextSha } from "./shared-text.ts";

it("the decision script has the recorded SHA-1", () => {
  expect(scriptSha).toBe(createHash("sha1").update(script).digest("hex"));
});

it("the process-counting script has the recorded SHA-1", () => {
  expect(presenceSha).toBe(createHash("sha1").update(presenceScript).digest("hex"));
});

it("the shared-text script has the recorded SHA-1", () => {
  expect(sharedTextSha).toBe(createHash("sha1").update(sharedTextScript).digest("hex"));
});
