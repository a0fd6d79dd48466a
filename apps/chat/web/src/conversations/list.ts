import type { Conversation, ConversationPage } from "../../../contract.ts";
import { observable } from "../design/observable.ts";
import { api } from "../service/api.ts";

export interface ConversationList {
  conversations: Conversation[];
  /** `undefined` before the first page, `null` after the last. */
  nextCursor: string | null | undefined;
  loading: boolean;
  failed: boolean;
}

const emptyList: ConversationList = {
  conversations: [],
  nextCursor: undefined,
  loading: false,
  failed: false,
};

export const conversationList = observable<ConversationList>(emptyList);

const pageSize = 30;

// Counts up when the list starts anew, so that a late page of the old list is not appended to the new one.
let generation = 0;

/** Loads the list from its start; what is shown stays until the new page is there. */
export async function refreshConversations(): Promise<void> {
  generation++;
  await loadPage(undefined, generation);
}

/** Loads the next page, if there is one and none is under way. */
export async function loadMoreConversations(): Promise<void> {
  const { nextCursor, loading } = conversationList.get();
  if (loading || nextCursor === null) return;
  await loadPage(nextCursor, generation);
}

/** Forgets the list of the last caller, when somebody signs in or out, and loads anew. */
export async function restartConversations(): Promise<void> {
  conversationList.set(emptyList);
  await refreshConversations();
}

async function loadPage(cursor: string | undefined, ofGeneration: number): Promise<void> {
  conversationList.set((list) => ({ ...list, loading: true, failed: false }));
  const query = new URLSearchParams({ limit: String(pageSize), ...(cursor === undefined ? {} : { cursor }) });
  try {
    const page = await api<ConversationPage>(`/conversations?${query}`);
    if (ofGeneration !== generation) return;
    conversationList.set((list) => ({
      conversations:
        cursor === undefined ? page.conversations : merge(list.conversations, page.conversations),
      nextCursor: page.nextCursor,
      loading: false,
      failed: false,
    }));
  } catch {
    if (ofGeneration !== generation) return;
    conversationList.set((list) => ({ ...list, loading: false, failed: true }));
  }
}

/** Adds a page; a conversation that moved between two pages is kept once, in its newer form. */
export function merge(known: readonly Conversation[], page: readonly Conversation[]): Conversation[] {
  const byId = new Map(known.map((conversation) => [conversation.id, conversation]));
  for (const conversation of page) byId.set(conversation.id, conversation);
  return [...byId.values()];
}

/** Puts a conversation into the list, or its newer form in place of the older. */
export function putConversation(conversation: Conversation): void {
  conversationList.set((list) => ({ ...list, conversations: merge(list.conversations, [conversation]) }));
}

/** The conversation as the list knows it. */
export function knownConversation(id: string): Conversation | undefined {
  return conversationList.get().conversations.find((conversation) => conversation.id === id);
}

function dropConversation(id: string): void {
  conversationList.set((list) => ({
    ...list,
    conversations: list.conversations.filter((conversation) => conversation.id !== id),
  }));
}

const pathOf = (id: string) => `/conversations/${encodeURIComponent(id)}`;

/** Gives the conversation a name. Throws what {@link api} throws, and then keeps the old one. */
export async function renameConversation(id: string, title: string): Promise<void> {
  await api(pathOf(id), { method: "PATCH", body: { title } });
  change(id, { title, titled: true });
}

/** Deletes the conversation, for good. */
export async function deleteConversation(id: string): Promise<void> {
  await api(pathOf(id), { method: "DELETE" });
  dropConversation(id);
}

/** Makes a public page of the conversation. @returns its path */
export async function shareConversation(id: string): Promise<string> {
  const answer = await api<{ sharePath: string }>(`${pathOf(id)}/share`, { method: "POST", body: {} });
  change(id, { sharePath: answer.sharePath });
  return answer.sharePath;
}

/** Takes the public page away. */
export async function unshareConversation(id: string): Promise<void> {
  await api(`${pathOf(id)}/share`, { method: "DELETE" });
  change(id, { sharePath: null });
}

function change(id: string, changes: Partial<Conversation>): void {
  const known = knownConversation(id);
  if (known) putConversation({ ...known, ...changes });
}

/** Asks the service for a name and shows it; without one the first question stays as the title. */
export async function titleConversation(id: string): Promise<void> {
  try {
    const { title } = await api<{ title: string }>("/chat/title", {
      method: "POST",
      body: { conversation_id: id },
    });
    change(id, { title, titled: true });
  } catch {
    // A title is a nicety: the next answer asks again.
  }
}
