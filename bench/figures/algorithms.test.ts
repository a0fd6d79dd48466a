import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { compareAlgorithms } from "./algorithms.ts";
import { mostInAnyWindow, replay } from "./replay.ts";

const docs = new URL("../../docs/", import.meta.url);
const howTo = "run: node --conditions=headgate-source bench/figures/pictures.ts";

describe("docs/choosing-an-algorithm.md", () => {
  const { picture, rows } = compareAlgorithms();

  it("shows the picture that the current library draws", async () => {
    const shown = await readFile(new URL("images/algorithms.svg", docs), "utf8");
    expect(shown === picture, `docs/images/algorithms.svg is out of date; ${howTo}`).toBe(true);
  });

  it.each(rows)("contains the row %s", async (row) => {
    expect(await readFile(new URL("choosing-an-algorithm.md", docs), "utf8"), howTo).toContain(row);
  });
});

describe("mostInAnyWindow", () => {
  it("does not count moments that are a whole window old", () => {
    expect(mostInAnyWindow([0, 999, 1000, 1999], 1000)).toBe(2);
    expect(mostInAnyWindow([0, 999, 1000, 1999], 1001)).toBe(3);
    expect(mostInAnyWindow([], 1000)).toBe(0);
  });
});

describe("replay", () => {
  it("admits the quota, and one more request when the first admission is a window old", () => {
    expect(replay("2/minute", [0, 1, 2, 59_999, 60_000, 60_000, 60_001], 0)).toEqual({
      admitted: [0, 1, 60_000, 60_001],
      refused: [2, 59_999, 60_000],
    });
  });

  it("frees places of a concurrent limit when admitted requests have been served", () => {
    expect(replay("1 concurrent", [0, 5_999, 6_000], 6_000)).toEqual({
      admitted: [0, 6_000],
      refused: [5_999],
    });
  });
});
