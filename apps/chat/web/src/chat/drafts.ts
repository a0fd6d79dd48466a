import { type Observable, observable } from "../design/observable.ts";
import { readStored, storedKeys, writeStored } from "../design/storage.ts";

/** What a person has typed and the service has not taken yet. */
export interface Draft {
  text: string;
  /** On its way, and no longer shown in the composer: it comes back if the service says no, or the page is reloaded. */
  sending?: { text: string; messageId: string };
  /** The id of the sent question that this text will replace. */
  replaces?: string;
  /** What was being typed when the editing of a sent question began. */
  aside?: string;
  /** The id under which exactly this text was sent before, without an answer: sent again, it is not stored twice. */
  sent?: { text: string; messageId: string };
}

export const emptyDraft: Draft = { text: "" };

/** The draft of a conversation that does not exist yet. */
export const newConversation = "new";

const storageKey = (conversation: string) => `headgate.draft.${conversation}`;

const drafts = new Map<string, Observable<Draft>>();

/** The draft of a conversation, as it survived reloads and signing in. */
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

/** Takes a text that another tab has sent out of the composer here; one that was changed since stays. */
export function dropSentElsewhere(conversation: string, text: string): void {
  const draft = drafts.get(conversation);
  if (!draft || draft.get().sending) return;
  if (draft.get().text.trim() === text) draft.set((current) => afterAccepted(current, text));
}

/** Forgets the draft of a conversation that was deleted. */
export function dropDraft(conversation: string): void {
  draftOf(conversation).set(emptyDraft);
}

/** Reads what was stored; what cannot be read is an empty draft. A text that was on its way is back in the composer. */
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

/** Takes the text out of the composer while the service is thinking it over. */
export function takeForSending(draft: Draft, sending: { text: string; messageId: string }): Draft {
  const { text, sent: _, ...rest } = draft;
  return { ...rest, text: remainderAfter(text, sending.text), sending };
}

/** What stays in the composer once `sent` has left it: what was typed behind it, or anything else that was typed. */
function remainderAfter(text: string, sent: string): string {
  if (text.trim() === sent) return "";
  return text.trimStart().startsWith(sent) ? text.trimStart().slice(sent.length).trimStart() : text;
}

/** The service said no: the text is back in the composer, before whatever was typed meanwhile. */
export function giveBack(draft: Draft): Draft {
  const { sending, ...rest } = draft;
  if (!sending) return draft;
  return {
    ...rest,
    text: draft.text === "" ? sending.text : `${sending.text}\n\n${draft.text}`,
    sent: sending,
  };
}

/** The service took it: the text is gone, and what was set aside for editing is back. */
export function afterAccepted(draft: Draft, sentText: string): Draft {
  const remaining = draft.sending ? draft.text : remainderAfter(draft.text, sentText);
  if (draft.aside === undefined || draft.aside === "") return { text: remaining };
  return { text: remaining === "" ? draft.aside : `${draft.aside}\n\n${remaining}` };
}

/** Puts a text at the head of the composer, as a question of its own: not as the edit of a sent one. */
export function putFirst(draft: Draft, text: string): Draft {
  const { text: typed } = draft.replaces === undefined ? draft : cancelEditing(draft);
  return { text: typed.trim() === "" ? text : `${text}\n\n${typed}` };
}

/** Loads a sent question into the composer, and sets aside what was there. */
export function beginEditing(draft: Draft, question: { id: string; text: string }): Draft {
  return {
    text: question.text,
    replaces: question.id,
    aside: draft.replaces === undefined ? draft.text : (draft.aside ?? ""),
  };
}

/** Puts the question back as it was, and what was set aside into the composer. */
export function cancelEditing(draft: Draft): Draft {
  return { text: draft.aside ?? "" };
}

/** Forgets every draft, here and in storage: the next person at this browser is not to read them. */
export function forgetDrafts(): void {
  for (const draft of drafts.values()) draft.set(emptyDraft);
  for (const key of storedKeys()) if (key.startsWith(storageKey(""))) writeStored(key, null);
}
