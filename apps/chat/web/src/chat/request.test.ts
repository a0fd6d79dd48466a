import { expect, test } from "vitest";
import type { ChatMessage } from "../../../contract.ts";
import { requestFor, threadFor } from "./request.ts";

const message = (id: string, role: "user" | "assistant", text: string): ChatMessage => ({
  id,
  role,
  parts: [{ type: "text", text }],
});

const thread = [
  message("q1", "user", "one"),
  message("a1", "assistant", "1"),
  message("q2", "user", "two"),
  message("a2", "assistant", "2"),
];
const ids = (messages: readonly ChatMessage[]) => messages.map(({ id }) => id);

test("a question is appended", () => {
  const next = threadFor({ kind: "ask", text: "three", messageId: "q3" }, thread);
  expect(ids(next)).toEqual(["q1", "a1", "q2", "a2", "q3"]);
  expect(ids(thread)).toHaveLength(4);
});

test("an edited question replaces the old question and everything after it", () => {
  expect(ids(threadFor({ kind: "ask", text: "uno", messageId: "q3", replaces: "q1" }, thread))).toEqual([
    "q3",
  ]);
  expect(ids(threadFor({ kind: "ask", text: "dos", messageId: "q3", replaces: "q2" }, thread))).toEqual([
    "q1",
    "a1",
    "q3",
  ]);
});

test("retrying removes the answer and keeps its question", () => {
  expect(ids(threadFor({ kind: "again", replaces: "a2" }, thread))).toEqual(["q1", "a1", "q2"]);
  expect(ids(threadFor({ kind: "again" }, thread.slice(0, 3)))).toEqual(["q1", "a1", "q2"]);
});

test("a stored conversation is sent as its id and the question", () => {
  const next = threadFor({ kind: "again", replaces: "a2" }, thread);
  expect(requestFor(next, { conversationId: "c", replaces: "a2" })).toEqual({
    messages: [thread[2]],
    conversation_id: "c",
    replaces: "a2",
  });
});

test("a chosen model is named", () => {
  expect(
    requestFor(thread.slice(0, 1), { conversationId: "c", replaces: undefined, model: "large" }),
  ).toEqual({
    messages: [thread[0]],
    conversation_id: "c",
    model: "large",
  });
});

test("a conversation that is not stored has nothing to replace", () => {
  expect(requestFor([message("q1", "user", "one")], { conversationId: undefined, replaces: "a1" })).toEqual({
    messages: [message("q1", "user", "one")],
  });
});
