import { describe, expect, it } from "vitest";
import { csv } from "./responses.ts";

describe("a CSV cell", () => {
  it.each([
    ["30/minute; 1000/day", '"30/minute; 1000/day"'],
    ["a, b", '"a, b"'],
    ['say "no"', '"say ""no"""'],
    ["a - b = c", "a - b = c"],
    ["=1+1", "'=1+1"],
    // If a spreadsheet splits lines at semicolons or tabs, a new cell begins after each of them.
    ["a;=1+1", `"a;'=1+1"`],
    ["a; +1", `"a; '+1"`],
    ["a\t-1", `"a\t'-1"`],
    ["a\t@x;=y", `"a\t'@x;'=y"`],
    ['a;"=1+1"', `"a;""'=1+1"""`],
    ["=a;=b", `"'=a;'=b"`],
    [null, ""],
  ])("%j is written as %j", (value, cell) => {
    expect(csv(["head"], [[value]])).toBe(`head\r\n${cell}\r\n`);
  });
});
