import type { ChatMessage, ConversationWithMessages } from "../../../contract.ts";
import { learn, me, refreshMe } from "../account/me.ts";
import { showPaywall } from "../account/paywall-state.ts";
import {
  knownConversation,
  outdateTitle,
  putConversation,
  titleConversation,
} from "../conversations/list.ts";
import { announce } from "../design/announcer.tsx";
import { type Observable, observable } from "../design/observable.ts";
import { conversationPath, currentPath, navigate } from "../router.tsx";
import { api } from "../service/api.ts";
import { client } from "../service/client.ts";
import { type Failure, failureOf } from "../service/failure.ts";
import { online } from "../service/online.ts";
import { onTabMessage } from "../service/tabs.ts";
import { draftOf, dropSentElsewhere } from "./drafts.ts";
import { spokenText, textOf } from "./message.ts";
import { isOfPlaces } from "./refusal-words.ts";
import { type ChatSession, createSession, type SessionEvents } from "./session.ts";

/** A conversation that is being opened. */
export type OpenConversation =
  | { status: "loading" }
  | { status: "ready"; session: ChatSession }
  | { status: "failed"; failure: Failure };

const open = new Map<string, Observable<OpenConversation>>();
let fresh: { session: ChatSession; opening: Observable<OpenConversation> } | null = null;

const events: SessionEvents = {
  accepted(session, id, question, answering) {
    if (answering) announce("Answering.");
    const now = new Date().toISOString();
    const known = knownConversation(id);
    putConversation(
      known
        ? { ...known, updatedAt: now }
        : { id, title: question, titled: false, createdAt: now, updatedAt: now, sharePath: null },
    );
    // If the first question changed, the topic may have changed. The service keeps a title that a person chose.
    if (known && session.messages.get().length === 1) outdateTitle(id);
    if (session !== fresh?.session) return;
    // Keep the same object under the new id, so that the screen does not change.
    open.set(id, fresh.opening);
    fresh = null;
    if (currentPath.get() === "/") navigate(conversationPath(id), { replace: true });
  },
  ended(session, answer, outcome, news) {
    if (outcome === "stopped") announce("Stopped. What was written so far is saved.");
    if (outcome === "credit") announce("The answer ended here: your credit is used up.");
    if (outcome === "quota") announce("The answer ended here: your tokens are used up for now.");
    if (outcome === "whole" && answer) announce(`Answer: ${spokenText(textOf(answer))}`);
    if (news) learn(news);
    else void refreshMe();
    endWaitForPlace();
    const id = session.state.get().conversationId;
    if (id !== undefined && answer && knownConversation(id)?.titled !== true) void titleConversation(id);
  },
  failed(session, failure) {
    // The list of models may have changed.
    if (failure.kind === "rejected") void refreshMe();
    if (failure.kind === "unpaid") showPaywall(failure.problem);
    if (failure.kind === "gone") void tellGoneFromSignedOut(session);
  },
};

/** Clears a refusal that waits for a place, in every tab, because an answer has ended. */
function endWaitForPlace(): void {
  const refusal = client.refusal();
  if (refusal && isOfPlaces(refusal)) client.clear();
}

/** Distinguishes a deleted conversation from an ended session. The service answers 404 to both, so `/me` is needed. */
async function tellGoneFromSignedOut(session: ChatSession): Promise<void> {
  if (await sessionEnded()) session.state.set((state) => ({ ...state, failure: { kind: "signed-out" } }));
}

async function sessionEnded(): Promise<boolean> {
  const before = me.get();
  const now = await refreshMe();
  return before?.caller.kind === "account" && now?.caller.kind === "anonymous";
}

/** Returns the new conversation. It is the same object until its first question is accepted. */
export function freshConversation(): Observable<OpenConversation> {
  if (!fresh) {
    const session = createSession(undefined, events);
    fresh = { session, opening: observable<OpenConversation>({ status: "ready", session }) };
  }
  return fresh.opening;
}

/** Returns a stored conversation, and loads it if necessary. */
export function openConversation(id: string): Observable<OpenConversation> {
  const known = open.get(id);
  if (known) return known;
  const opening = observable<OpenConversation>({ status: "loading" });
  open.set(id, opening);
  void load(id, opening);
  return opening;
}

/** Tries again to load a conversation. */
export function reopenConversation(id: string): void {
  const opening = openConversation(id);
  if (opening.get().status !== "failed") return;
  opening.set({ status: "loading" });
  void load(id, opening);
}

async function load(id: string, opening: Observable<OpenConversation>): Promise<void> {
  try {
    const { messages, ...conversation } = await api<ConversationWithMessages>(
      `/conversations/${encodeURIComponent(id)}`,
    );
    putConversation(conversation);
    forgetAnswered(id, messages);
    const session = createSession({ id, messages }, events);
    opening.set({ status: "ready", session });
    void session.resume();
  } catch (error) {
    const failure = failureOf(error, { online: online.get() });
    if (failure.kind === "gone" && (await sessionEnded()))
      opening.set({ status: "failed", failure: { kind: "signed-out" } });
    else opening.set({ status: "failed", failure });
  }
}

/** Removes a draft that was being sent when the page was closed, if the service has accepted it. */
function forgetAnswered(id: string, messages: readonly ChatMessage[]): void {
  const draft = draftOf(id);
  const { sent, text } = draft.get();
  if (sent && sent.text === text && messages.some((message) => message.id === sent.messageId))
    draft.set({ text: "" });
}

/** Closes every conversation, including answers in progress, because somebody else is using the page now. */
export function closeConversations(): void {
  for (const session of openSessions()) session.close();
  fresh = null;
  open.clear();
}

/** Shows that the account has been signed out. The screen stays until the user leaves it. */
export function tellSignedOut(): void {
  for (const session of openSessions()) {
    if (session !== fresh?.session) {
      session.state.set((current) => ({ ...current, failure: { kind: "signed-out" } }));
    }
  }
}

/** Removes refusals, because another caller has other limits and credit. */
export function endRefusals(): void {
  for (const session of openSessions()) {
    const kind = session.state.get().failure?.kind;
    if (kind === "refused" || kind === "unpaid" || kind === "blocked") session.dismiss();
  }
}

/** Closes a deleted conversation. */
export function closeConversation(id: string): void {
  const state = open.get(id)?.get();
  if (state?.status === "ready") state.session.close();
  open.delete(id);
}

function openSessions(): ChatSession[] {
  const stored = [...open.values()].flatMap((opening) => {
    const state = opening.get();
    return state.status === "ready" ? [state.session] : [];
  });
  return fresh ? [fresh.session, ...stored] : stored;
}

onTabMessage((message) => {
  if (message.kind === "sent") dropSentElsewhere(message.conversation, message.text);
});
