import { describe, expect, it } from "vitest";
import { readDeclarations } from "./declaration-reader.ts";

describe("readDeclarations", () => {
  it("gives each statement its comment, and joins overloads", () => {
    const source =
      '/** One. */\nexport declare function f(a: string): void;\n/** Two. */\nexport declare function f(a: number): void;\n/** Names. */\nexport type T = "a"\n/** Within. */\n | "b";\n';
    const { declarations } = readDeclarations("x.d.ts", source);
    expect(declarations.get("f")?.signatures).toEqual([
      { comment: "/** One. */", text: "function f(a: string): void;" },
      { comment: "/** Two. */", text: "function f(a: number): void;" },
    ]);
    expect(declarations.get("T")?.signatures).toEqual([
      { comment: "/** Names. */", text: 'type T = "a"\n/** Within. */\n | "b";' },
    ]);
  });

  it("throws for an unknown statement instead of leaving it out", () => {
    expect(() => readDeclarations("x.d.ts", "export declare enum E {\n}\n")).toThrow(
      "x.d.ts: a statement of an unknown kind",
    );
  });
});
