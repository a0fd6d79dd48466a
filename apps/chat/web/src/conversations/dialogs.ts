import { observable } from "../design/observable.ts";

/** Which question about which conversation is being asked; `null` for none. */
export type ConversationDialog = { kind: "delete" | "share"; id: string; title: string };

export const conversationDialog = observable<ConversationDialog | null>(null);

/** The conversation whose name is being edited in the list. */
export const renaming = observable<string | null>(null);
