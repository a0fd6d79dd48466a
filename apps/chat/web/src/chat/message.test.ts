import { expect, test } from "vitest";
import type { ChatMessage } from "../../../contract.ts";
import { isEmptyAnswer, newMessageId, spokenText, textOf } from "./message.ts";

const answer = (...parts: unknown[]) => ({ id: "a", role: "assistant", parts }) as ChatMessage;

test("the text of a message consists of its text parts", () => {
  const message = answer(
    { type: "step-start" },
    { type: "text", text: "One." },
    { type: "text", text: "Two." },
  );
  expect(textOf(message)).toBe("One.\n\nTwo.");
});

test("an answer is empty until a word or a tool call arrives", () => {
  expect(isEmptyAnswer(answer())).toBe(true);
  expect(isEmptyAnswer(answer({ type: "step-start" }, { type: "text", text: " " }))).toBe(true);
  expect(isEmptyAnswer(answer({ type: "tool-take_home", state: "input-streaming" }))).toBe(false);
  expect(isEmptyAnswer(answer({ type: "text", text: "£1" }))).toBe(false);
});

test("an answer is read aloud without its markup", () => {
  const markdown =
    "You keep **£35,278.60**.\n\n| a | b |\n| --- | --: |\n| 1 | 2 |\n\nSee [the rates](https://gov.uk/x).";
  expect(spokenText(markdown)).toBe("You keep £35,278.60 . a b 1 2 See the rates.");
  expect(spokenText("word ".repeat(400)).length).toBeLessThan(610);
});

test("newMessageId returns a different id each time", () => {
  expect(new Set(Array.from({ length: 50 }, newMessageId)).size).toBe(50);
});
