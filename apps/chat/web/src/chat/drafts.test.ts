// @vitest-environment happy-dom
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import {
  afterAccepted,
  beginEditing,
  cancelEditing,
  draftOf,
  dropSentElsewhere,
  emptyDraft,
  forgetDrafts,
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

test("text typed while a text is sent follows it if it is refused, and is alone if it is accepted", () => {
  const taken = { ...takeForSending({ text: sending.text }, sending), text: "and in Scotland?" };
  expect(giveBack(taken).text).toBe("take-home on £45k\n\nand in Scotland?");
  expect(afterAccepted(taken, sending.text)).toEqual({ text: "and in Scotland?" });
});

test("an accepted text leaves the composer even while it is still shown there", () => {
  expect(afterAccepted({ text: " take-home on £45k " }, sending.text)).toEqual(emptyDraft);
  expect(afterAccepted({ text: "take-home on £45k please" }, sending.text)).toEqual({ text: "please" });
  expect(afterAccepted({ text: "something else" }, sending.text)).toEqual({ text: "something else" });
});

test("editing a sent question sets the draft aside, and restores it however the edit ends", () => {
  const editing = beginEditing({ text: "half a thought" }, { id: "q1", text: "the question" });
  expect(editing).toEqual({ text: "the question", replaces: "q1", aside: "half a thought" });
  expect(cancelEditing(editing)).toEqual({ text: "half a thought" });
  expect(afterAccepted({ ...editing, text: "the better question" }, "the better question")).toEqual({
    text: "half a thought",
  });
});

test("editing another question keeps the draft that was set aside first", () => {
  const editing = beginEditing({ text: "half a thought" }, { id: "q1", text: "one" });
  expect(beginEditing(editing, { id: "q2", text: "two" }).aside).toBe("half a thought");
});

test("an example is inserted before the draft, and ends an edit", () => {
  expect(putFirst({ text: "typed" }, "example")).toEqual({ text: "example\n\ntyped" });
  expect(afterAccepted(putFirst({ text: "typed" }, "example"), "example")).toEqual({ text: "typed" });
  const editing = beginEditing({ text: "" }, { id: "q1", text: "the question" });
  expect(putFirst(editing, "example")).toEqual({ text: "example" });
});

test("a draft and a text that is being sent survive a reload", () => {
  const draft = draftOf("reload");
  draft.set({ text: "hello" });
  expect(restore(localStorage.getItem("headgate.draft.reload"))).toEqual({ text: "hello" });
  draft.set(takeForSending({ text: sending.text }, sending));
  expect(restore(localStorage.getItem("headgate.draft.reload"))).toMatchObject({ text: sending.text });
  draft.set(emptyDraft);
  expect(localStorage.getItem("headgate.draft.reload")).toBeNull();
});

test("restoring accepts any stored value", () => {
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

test("forgetting drafts removes all of them, even those not opened since a reload", () => {
  draftOf("opened").set({ text: "a private thought" });
  // A draft of an earlier page load that was not opened after the reload.
  localStorage.setItem("headgate.draft.not-opened", JSON.stringify({ text: "another private thought" }));
  localStorage.setItem("headgate.theme", "dark");
  forgetDrafts();
  expect(draftOf("opened").get()).toEqual(emptyDraft);
  expect(Object.keys(localStorage)).toEqual(["headgate.theme"]);
  expect(draftOf("not-opened").get()).toEqual(emptyDraft);
});

test("a text that another tab has sent leaves the composer here, unless it was changed", () => {
  draftOf("c1").set({ text: "take-home on £45k " });
  dropSentElsewhere("c1", "take-home on £45k");
  expect(draftOf("c1").get()).toEqual(emptyDraft);
  draftOf("c1").set({ text: "take-home on £46k" });
  dropSentElsewhere("c1", "take-home on £45k");
  expect(draftOf("c1").get().text).toBe("take-home on £46k");
  const own = takeForSending({ text: "hello" }, { text: "hello", messageId: "m" });
  draftOf("c1").set({ ...own, text: "hello" });
  dropSentElsewhere("c1", "hello");
  expect(draftOf("c1").get().text).toBe("hello");
});
