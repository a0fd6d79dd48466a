import type { Conversation, ConversationPage } from "../../../contract.ts";
import { type Observable, observable } from "../design/observable.ts";
import { api } from "../service/api.ts";

export interface ConversationList {
  conversations: Conversation[];
  /** The cursor of the next page; `undefined` before the first page, `null` after the last. */
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

/** The search text; blank for no search. */
export const searchWords = observable("");

/** The conversations in which `searchWords` appear. */
export const foundConversations = observable<ConversationList>(emptyList);

const pageSize = 30;

// Counts restarts of each list, so that a late page of the old list is not appended to the new list.
const generations = new Map<Observable<ConversationList>, number>();

/** Reloads the list from its start. The current entries stay until the new page arrives. */
export async function refreshConversations(): Promise<void> {
  await loadFirstPage(conversationList);
}

/** Loads the next page of a list, if there is one and it is not already loading. */
export async function loadMoreConversations(of = conversationList): Promise<void> {
  const { nextCursor, loading } = of.get();
  if (loading || nextCursor === null) return;
  await loadPage(of, nextCursor);
}

/** Searches titles and messages. A blank text ends the search. */
export async function searchConversations(words: string): Promise<void> {
  searchWords.set(words);
  if (words.trim() !== "") return loadFirstPage(foundConversations);
  generations.set(foundConversations, (generations.get(foundConversations) ?? 0) + 1);
  foundConversations.set(emptyList);
}

/** Clears the lists after a change of caller, and reloads them. */
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

/** Adds a conversation to the list, or replaces its older form. */
export function putConversation(conversation: Conversation): void {
  conversationList.set((list) => ({ ...list, conversations: merge(list.conversations, [conversation]) }));
  foundConversations.set((list) =>
    list.conversations.some(({ id }) => id === conversation.id)
      ? { ...list, conversations: merge(list.conversations, [conversation]) }
      : list,
  );
}

/** Returns a conversation from the lists. */
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

/** Renames a conversation. On failure, keeps the old title and throws the error of {@link api}. */
export async function renameConversation(id: string, title: string): Promise<void> {
  await api(pathOf(id), { method: "PATCH", body: { title } });
  titleRequests.delete(id);
  change(id, { title, titled: true });
}

/** Deletes a conversation permanently. */
export async function deleteConversation(id: string): Promise<void> {
  await api(pathOf(id), { method: "DELETE" });
  dropConversation(id);
}

/** Creates a public page of a conversation. Returns its path. */
export async function shareConversation(id: string): Promise<string> {
  const answer = await api<{ sharePath: string }>(`${pathOf(id)}/share`, { method: "POST", body: {} });
  change(id, { sharePath: answer.sharePath });
  return answer.sharePath;
}

/** Removes the public page. */
export async function unshareConversation(id: string): Promise<void> {
  await api(`${pathOf(id)}/share`, { method: "DELETE" });
  change(id, { sharePath: null });
}

function change(id: string, changes: Partial<Conversation>): void {
  const known = knownConversation(id);
  if (known) putConversation({ ...known, ...changes });
}

/** The latest request for the title of each conversation. Answers to earlier requests are out of date. */
const titleRequests = new Map<string, object>();

/** Lets the next answer ask for a title again, because the first question was edited. */
export function outdateTitle(id: string): void {
  titleRequests.delete(id);
  change(id, { titled: false });
}

/** Asks the service for a title. If there is none, the first question stays as the title. */
export async function titleConversation(id: string): Promise<void> {
  const request = {};
  titleRequests.set(id, request);
  try {
    const { title } = await api<{ title: string }>("/chat/title", {
      method: "POST",
      body: { conversation_id: id },
    });
    if (titleRequests.get(id) === request) change(id, { title, titled: true });
  } catch {
    // A title is optional: the next answer requests it again.
  }
}
