import { type Observable, observable } from "../design/observable.ts";
import { readStored, storedKeys, writeStored } from "../design/storage.ts";

/** Text that the service has not accepted yet. */
export interface Draft {
  text: string;
  /**
   * A text that is being sent and is no longer in the composer. It returns if the service refuses it or the page is
   * reloaded.
   */
  sending?: { text: string; messageId: string };
  /** The id of the sent question that this text will replace. */
  replaces?: string;
  /** The draft that was set aside when the edit of a sent question began. */
  aside?: string;
  /** The id under which this text was sent before without a response, so that it is not stored twice. */
  sent?: { text: string; messageId: string };
}

export const emptyDraft: Draft = { text: "" };

/** The key of the draft for a new conversation. */
export const newConversation = "new";

const storageKey = (conversation: string) => `headgate.draft.${conversation}`;

const drafts = new Map<string, Observable<Draft>>();

/** Returns the draft of a conversation, which survives reloads and signing in. */
export function draftOf(conversation: string): Observable<Draft> {
  const known = drafts.get(conversation);
  if (known) return known;
  const draft = observable(restore(readStored(storageKey(conversation))));
  draft.subscribe(() => {
    const now = draft.get();
    const empty = now.text === "" && !now.sending && now.aside === undefined && !now.sent;
    writeStored(storageKey(conversation), empty ? null : JSON.stringify(now));
  });
  drafts.set(conversation, draft);
  return draft;
}

/** Removes a text from the composer that another tab has sent, unless it was changed since. */
export function dropSentElsewhere(conversation: string, text: string): void {
  const draft = drafts.get(conversation);
  if (!draft || draft.get().sending) return;
  if (draft.get().text.trim() === text) draft.set((current) => afterAccepted(current, text));
}

/** Removes the draft of a deleted conversation. */
export function dropDraft(conversation: string): void {
  draftOf(conversation).set(emptyDraft);
}

/** Reads a stored draft. Invalid data becomes an empty draft. A text that was being sent returns to the composer. */
export function restore(stored: string | null): Draft {
  if (stored === null) return emptyDraft;
  try {
    const draft: unknown = JSON.parse(stored);
    if (typeof draft !== "object" || draft === null) return emptyDraft;
    const { text, sending, replaces, aside, sent } = draft as Record<string, unknown>;
    const read: Draft = {
      text: typeof text === "string" ? text : "",
      ...(isSent(sending) ? { sending } : {}),
      ...(typeof replaces === "string" ? { replaces } : {}),
      ...(typeof aside === "string" ? { aside } : {}),
      ...(isSent(sent) ? { sent } : {}),
    };
    return giveBack(read);
  } catch {
    return emptyDraft;
  }
}

function isSent(value: unknown): value is { text: string; messageId: string } {
  if (typeof value !== "object" || value === null) return false;
  const { text, messageId } = value as Record<string, unknown>;
  return typeof text === "string" && typeof messageId === "string";
}

/** Removes the text from the composer while it is being sent. */
export function takeForSending(draft: Draft, sending: { text: string; messageId: string }): Draft {
  const { text, sent: _, ...rest } = draft;
  return { ...rest, text: remainderAfter(text, sending.text), sending };
}

/** Returns the text of the composer without `sent` at its start. */
function remainderAfter(text: string, sent: string): string {
  if (text.trim() === sent) return "";
  return text.trimStart().startsWith(sent) ? text.trimStart().slice(sent.length).trimStart() : text;
}

/** Puts a refused text back into the composer, before text that was typed since it was sent. */
export function giveBack(draft: Draft): Draft {
  const { sending, ...rest } = draft;
  if (!sending) return draft;
  return {
    ...rest,
    text: draft.text === "" ? sending.text : `${sending.text}\n\n${draft.text}`,
    sent: sending,
  };
}

/** Removes an accepted text, and restores a draft that was set aside. */
export function afterAccepted(draft: Draft, sentText: string): Draft {
  const remaining = draft.sending ? draft.text : remainderAfter(draft.text, sentText);
  if (draft.aside === undefined || draft.aside === "") return { text: remaining };
  return { text: remaining === "" ? draft.aside : `${draft.aside}\n\n${remaining}` };
}

/** Inserts a text at the start of the composer, as a new question, not as the edit of a sent one. */
export function putFirst(draft: Draft, text: string): Draft {
  const { text: typed } = draft.replaces === undefined ? draft : cancelEditing(draft);
  return { text: typed.trim() === "" ? text : `${text}\n\n${typed}` };
}

/** Loads a sent question into the composer, and sets the draft aside. */
export function beginEditing(draft: Draft, question: { id: string; text: string }): Draft {
  return {
    text: question.text,
    replaces: question.id,
    aside: draft.replaces === undefined ? draft.text : (draft.aside ?? ""),
  };
}

/** Ends an edit without changes, and restores the draft that was set aside. */
export function cancelEditing(draft: Draft): Draft {
  return { text: draft.aside ?? "" };
}

/** Removes every draft, here and in storage, so that the next person at this browser cannot read them. */
export function forgetDrafts(): void {
  for (const draft of drafts.values()) draft.set(emptyDraft);
  for (const key of storedKeys()) if (key.startsWith(storageKey(""))) writeStored(key, null);
}
