import { afterEach, expect, test, vi } from "vitest";
import type { Conversation } from "../../../contract.ts";
import { knownConversation, merge, outdateTitle, putConversation, titleConversation } from "./list.ts";

const api = vi.hoisted(() => vi.fn());
vi.mock("../service/api.ts", () => ({ api }));
afterEach(() => api.mockReset());

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

test("a title that arrives after its question was edited is dropped, and the next title is kept", async () => {
  putConversation({ ...conversation("d", "first question"), titled: false });
  const answers: ((answer: { title: string }) => void)[] = [];
  api.mockImplementation(() => new Promise((resolve) => answers.push(resolve)));

  const early = titleConversation("d");
  outdateTitle("d");
  answers[0]?.({ title: "First" });
  await early;
  expect(knownConversation("d")).toMatchObject({ title: "first question", titled: false });

  const second = titleConversation("d");
  answers[1]?.({ title: "Second" });
  await second;
  expect(knownConversation("d")).toMatchObject({ title: "Second", titled: true });
});
