import { expect, test } from "vitest";
import type { Conversation } from "../../../contract.ts";
import { merge } from "./list.ts";

const conversation = (id: string, title = id): Conversation => ({
  id,
  title,
  titled: true,
  createdAt: "2026-11-24T00:00:00Z",
  updatedAt: "2026-11-24T00:00:00Z",
  sharePath: null,
});

test("a conversation that moved between two pages is kept once, in its newer form", () => {
  const merged = merge(
    [conversation("a"), conversation("b", "old")],
    [conversation("b", "new"), conversation("c")],
  );
  expect(merged.map(({ id, title }) => [id, title])).toEqual([
    ["a", "a"],
    ["b", "new"],
    ["c", "c"],
  ]);
});
