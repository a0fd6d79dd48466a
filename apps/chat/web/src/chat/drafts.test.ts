// @vitest-environment happy-dom
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import {
  afterAccepted,
  beginEditing,
  cancelEditing,
  draftOf,
  emptyDraft,
  giveBack,
  putFirst,
  restore,
  takeForSending,
} from "./drafts.ts";

beforeEach(() => localStorage.clear());

const sending = { text: "take-home on £45k", messageId: "m1" };

test("a refused text is back in the composer as it was", () => {
  const taken = takeForSending({ text: sending.text }, sending);
  expect(taken.text).toBe("");
  expect(giveBack(taken)).toMatchObject({ text: sending.text, sent: sending });
});

test("what was typed meanwhile is kept behind a refused text, and alone after an accepted one", () => {
  const taken = { ...takeForSending({ text: sending.text }, sending), text: "and in Scotland?" };
  expect(giveBack(taken).text).toBe("take-home on £45k\n\nand in Scotland?");
  expect(afterAccepted(taken, sending.text)).toEqual({ text: "and in Scotland?" });
});

test("an accepted text leaves the composer also while it is still shown there", () => {
  expect(afterAccepted({ text: " take-home on £45k " }, sending.text)).toEqual(emptyDraft);
  expect(afterAccepted({ text: "take-home on £45k please" }, sending.text)).toEqual({ text: "please" });
  expect(afterAccepted({ text: "something else" }, sending.text)).toEqual({ text: "something else" });
});

test("editing a sent question sets the draft aside, and gives it back however the editing ends", () => {
  const editing = beginEditing({ text: "half a thought" }, { id: "q1", text: "the question" });
  expect(editing).toEqual({ text: "the question", replaces: "q1", aside: "half a thought" });
  expect(cancelEditing(editing)).toEqual({ text: "half a thought" });
  expect(afterAccepted({ ...editing, text: "the better question" }, "the better question")).toEqual({
    text: "half a thought",
  });
});

test("editing another question keeps what was set aside first", () => {
  const editing = beginEditing({ text: "half a thought" }, { id: "q1", text: "one" });
  expect(beginEditing(editing, { id: "q2", text: "two" }).aside).toBe("half a thought");
});

test("an example goes before what was typed, and ends an editing", () => {
  expect(putFirst({ text: "typed" }, "example")).toEqual({ text: "example\n\ntyped" });
  expect(afterAccepted(putFirst({ text: "typed" }, "example"), "example")).toEqual({ text: "typed" });
  const editing = beginEditing({ text: "" }, { id: "q1", text: "the question" });
  expect(putFirst(editing, "example")).toEqual({ text: "example" });
});

test("a draft survives a reload, and so does a text that was on its way", () => {
  const draft = draftOf("reload");
  draft.set({ text: "hello" });
  expect(restore(localStorage.getItem("headgate.draft.reload"))).toEqual({ text: "hello" });
  draft.set(takeForSending({ text: sending.text }, sending));
  expect(restore(localStorage.getItem("headgate.draft.reload"))).toMatchObject({ text: sending.text });
  draft.set(emptyDraft);
  expect(localStorage.getItem("headgate.draft.reload")).toBeNull();
});

test("anything in storage can be read", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (stored) => {
      expect(typeof restore(stored).text).toBe("string");
    }),
  );
});

test("no text is ever lost between taking, typing and refusing", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (first, second) => {
      const text = first.trim();
      fc.pre(text !== "");
      const taken = takeForSending({ text }, { text, messageId: "m" });
      const back = giveBack({ ...taken, text: second }).text;
      expect(back).toContain(text);
      expect(back).toContain(second);
    }),
  );
});
