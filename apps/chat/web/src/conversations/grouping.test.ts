import { expect, test } from "vitest";
import type { Conversation } from "../../../contract.ts";
import { groupByDate, untilTomorrow } from "./grouping.ts";

const now = new Date(2026, 10, 24, 9, 30).getTime();

function conversation(id: string, updated: Date): Conversation {
  const updatedAt = updated.toISOString();
  return { id, title: id, titled: true, createdAt: updatedAt, updatedAt, sharePath: null };
}

test("conversations are grouped by days in the reader's time zone, newest first", () => {
  const groups = groupByDate(
    [
      conversation("last minute of yesterday", new Date(2026, 10, 23, 23, 59)),
      conversation("just now", new Date(2026, 10, 24, 9, 29)),
      conversation("midnight", new Date(2026, 10, 24, 0, 0)),
      conversation("a week ago", new Date(2026, 10, 17, 0, 0)),
      conversation("eight days ago", new Date(2026, 10, 16, 23, 59)),
      conversation("a month ago", new Date(2026, 9, 25, 0, 0)),
      conversation("September", new Date(2026, 8, 2)),
      conversation("last year", new Date(2025, 8, 2)),
    ],
    now,
  );
  expect(groups.map(({ label, conversations }) => [label, conversations.map(({ id }) => id)])).toEqual([
    ["Today", ["just now", "midnight"]],
    ["Yesterday", ["last minute of yesterday"]],
    ["Previous 7 days", ["a week ago"]],
    ["Previous 30 days", ["eight days ago", "a month ago"]],
    ["September", ["September"]],
    ["September 2025", ["last year"]],
  ]);
});

test("a future date counts as today, and an invalid date is kept", () => {
  const broken = { ...conversation("broken", new Date(now)), updatedAt: "not a date" };
  const groups = groupByDate([conversation("tomorrow", new Date(2026, 10, 25)), broken], now);
  expect(groups.map(({ label }) => label)).toEqual(["Today", "Earlier"]);
});

test("the groups change at the next midnight", () => {
  expect(now + untilTomorrow(now)).toBe(new Date(2026, 10, 25).getTime());
});
