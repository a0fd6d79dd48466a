import type { ChatMessage, MessageRequest } from "../../../contract.ts";

/** The purpose of a request to `POST /chat/message`. */
export type Intent =
  /** A question, which may replace an earlier one. */
  | { kind: "ask"; text: string; messageId: string; replaces?: string }
  /** The last question again, to replace its answer or because it has none. */
  | { kind: "again"; replaces?: string };

/** Returns the thread to send, without the answer. Its last message is the question. */
export function threadFor(intent: Intent, messages: readonly ChatMessage[]): ChatMessage[] {
  const from = intent.replaces === undefined ? -1 : messages.findIndex(({ id }) => id === intent.replaces);
  const kept = from === -1 ? [...messages] : messages.slice(0, from);
  if (intent.kind === "again") return kept;
  return [...kept, { id: intent.messageId, role: "user", parts: [{ type: "text", text: intent.text }] }];
}

/**
 * Returns the body of the request. The service knows a stored conversation, so only the question is sent. Refusals and
 * notices are not messages, so they are never sent.
 */
export function requestFor(
  thread: readonly ChatMessage[],
  {
    conversationId,
    replaces,
    model,
  }: { conversationId: string | undefined; replaces: string | undefined; model?: string | undefined },
): MessageRequest {
  return {
    messages: conversationId === undefined ? [...thread] : thread.slice(-1),
    ...(conversationId === undefined ? {} : { conversation_id: conversationId }),
    ...(model === undefined ? {} : { model }),
    ...(replaces === undefined || conversationId === undefined ? {} : { replaces }),
  };
}
