import { observable } from "../design/observable.ts";

/** An open dialog, and its conversation; `null` for none. */
export type ConversationDialog = { kind: "delete" | "share"; id: string; title: string };

export const conversationDialog = observable<ConversationDialog | null>(null);

/** The conversation whose title is being edited in the list. */
export const renaming = observable<string | null>(null);
