import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { preferredType } from "./accept.ts";

describe("preferredType", () => {
  it.each([
    [undefined, "application/problem+json"],
    [null, "application/problem+json"],
    ["", "application/problem+json"],
    ["*/*", "application/problem+json"],
    ["application/json", "application/problem+json"],
    ["application/*;q=0.1", "application/problem+json"],
    ["text/html", "text/html"],
    ["TEXT/HTML;Q=1", "text/html"],
    ["text/html;level=1;q=0.4, text/plain;q=0.3", "text/html"],
    ["text/*", "text/plain"],
    ["text/*, text/plain;q=0.2", "text/html"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
    ["application/json, text/plain, */*", "application/problem+json"],
    ["application/json;q=0.5, text/plain", "text/plain"],
    ["application/json;q=0.9, text/plain;q=0.5", "application/problem+json"],
    ["text/html;q=20.5, text/plain;q=0.5", "text/plain"],
    ["text/html;q=1.000, text/plain;q=0.5", "text/html"],
    ["application/problem+json;q=0, application/json, text/html;q=0.1", "text/html"],
    ["text/html;q=0", "application/problem+json"],
    ["text/event-stream", "application/problem+json"],
    ["text/html;q=2", "application/problem+json"],
    ["text/html;q=0.1234, text/plain;q=0.001", "text/plain"],
    [" , ;q=1,text/plain ;  q=0.5", "text/plain"],
    ["text/html; q=0.2, text/html; q=0.9, text/plain; q=0.5", "text/html"],
  ])("%j prefers %s", (accept, type) => {
    expect(preferredType(accept)).toBe(type);
  });

  it("never throws, and is fast for absurd fields", () => {
    const pieces = fc.constantFrom("text/", "html", "*", "/", ";", "q=", "0.5", ",", " ", "1", "\u0000", "é");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((some) => some.join("")),
        ),
        (accept) => {
          expect(["application/problem+json", "text/plain", "text/html"]).toContain(preferredType(accept));
        },
      ),
    );
    expect(preferredType(`${"a/b;q=".repeat(100_000)},text/html`)).toBe("application/problem+json");
  });
});
