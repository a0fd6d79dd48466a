import type { ChatMessage } from "../../../contract.ts";
import { type Observable, observable } from "../design/observable.ts";
import type { Failure } from "../service/failure.ts";
import { type Draft, draftOf, newConversation } from "./drafts.ts";

export interface SessionState {
  /** `undefined` until the service has stored the first question. */
  conversationId: string | undefined;
  /**
   * - `asking`: just sent. The page does not change for a moment, so that a quick refusal moves nothing.
   * - `waiting`: the question is in the thread, the answer has not begun.
   * - `answering`: the service has taken the question.
   */
  phase: "idle" | "asking" | "waiting" | "answering";
  failure: Failure | null;
}

/** What the parts of a session read and change. */
export interface SessionParts {
  readonly state: Observable<SessionState>;
  readonly messages: Observable<readonly ChatMessage[]>;
  patch(changes: Partial<SessionState>): void;
  currentId(): string | undefined;
  draft(): Observable<Draft>;
}

export function createSessionParts(
  stored: { id: string; messages: ChatMessage[] } | undefined,
): SessionParts {
  const state = observable<SessionState>({ conversationId: stored?.id, phase: "idle", failure: null });
  const messages = observable<readonly ChatMessage[]>(stored?.messages ?? []);
  const patch = (changes: Partial<SessionState>) => state.set((current) => ({ ...current, ...changes }));
  const currentId = () => state.get().conversationId;
  const draft = () => draftOf(currentId() ?? newConversation);
  return { state, messages, patch, currentId, draft };
}
