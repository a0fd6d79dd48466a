import type { Conversation, ConversationPage } from "../../../contract.ts";
import { type Observable, observable } from "../design/observable.ts";
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

/** All conversations, newest first. */
export const conversationList = observable<ConversationList>(emptyList);

/** What is looked for; blank for nothing. */
export const searchWords = observable("");

/** The conversations in which `searchWords` appear. */
export const foundConversations = observable<ConversationList>(emptyList);

const pageSize = 30;

// Counts up when a list starts anew, so that a late page of the old one is not appended to the new one.
const generations = new Map<Observable<ConversationList>, number>();

/** Loads the list from its start; what is shown stays until the new page is there. */
export async function refreshConversations(): Promise<void> {
  await loadFirstPage(conversationList);
}

/** Loads the next page of a list, if there is one and none is under way. */
export async function loadMoreConversations(of = conversationList): Promise<void> {
  const { nextCursor, loading } = of.get();
  if (loading || nextCursor === null) return;
  await loadPage(of, nextCursor);
}

/** Looks for words in titles and in what was said; blank ones end the search. */
export async function searchConversations(words: string): Promise<void> {
  searchWords.set(words);
  if (words.trim() !== "") return loadFirstPage(foundConversations);
  generations.set(foundConversations, (generations.get(foundConversations) ?? 0) + 1);
  foundConversations.set(emptyList);
}

/** Forgets the lists of the last caller, when somebody signs in or out, and loads anew. */
export async function restartConversations(): Promise<void> {
  conversationList.set(emptyList);
  void searchConversations("");
  await refreshConversations();
}

async function loadFirstPage(of: Observable<ConversationList>): Promise<void> {
  generations.set(of, (generations.get(of) ?? 0) + 1);
  await loadPage(of, undefined);
}

async function loadPage(of: Observable<ConversationList>, cursor: string | undefined): Promise<void> {
  const generation = generations.get(of);
  of.set((list) => ({ ...list, loading: true, failed: false }));
  const query = new URLSearchParams({ limit: String(pageSize) });
  if (cursor !== undefined) query.set("cursor", cursor);
  if (of === foundConversations) query.set("search", searchWords.get());
  try {
    const page = await api<ConversationPage>(`/conversations?${query}`);
    if (generation !== generations.get(of)) return;
    of.set((list) => ({
      conversations:
        cursor === undefined ? page.conversations : merge(list.conversations, page.conversations),
      nextCursor: page.nextCursor,
      loading: false,
      failed: false,
    }));
  } catch {
    if (generation !== generations.get(of)) return;
    of.set((list) => ({ ...list, loading: false, failed: true }));
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
  foundConversations.set((list) =>
    list.conversations.some(({ id }) => id === conversation.id)
      ? { ...list, conversations: merge(list.conversations, [conversation]) }
      : list,
  );
}

/** The conversation as the lists know it. */
export function knownConversation(id: string): Conversation | undefined {
  const isIt = (conversation: Conversation) => conversation.id === id;
  return conversationList.get().conversations.find(isIt) ?? foundConversations.get().conversations.find(isIt);
}

function dropConversation(id: string): void {
  for (const of of [conversationList, foundConversations]) {
    of.set((list) => ({
      ...list,
      conversations: list.conversations.filter((conversation) => conversation.id !== id),
    }));
  }
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
