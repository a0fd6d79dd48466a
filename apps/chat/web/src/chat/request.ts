import type { ChatMessage, MessageRequest } from "../../../contract.ts";

/** One thing that a person wants from the service: what `POST /chat/message` is asked for. */
export type Intent =
  /** A question, perhaps in place of an earlier one. */
  | { kind: "ask"; text: string; messageId: string; replaces?: string }
  /** The last question once more: in place of its answer, or because it has none. */
  | { kind: "again"; replaces?: string };

/** The thread as it will be when the intent is sent, without the answer; its last message is the question. */
export function threadFor(intent: Intent, messages: readonly ChatMessage[]): ChatMessage[] {
  const from = intent.replaces === undefined ? -1 : messages.findIndex(({ id }) => id === intent.replaces);
  const kept = from === -1 ? [...messages] : messages.slice(0, from);
  if (intent.kind === "again") return kept;
  return [...kept, { id: intent.messageId, role: "user", parts: [{ type: "text", text: intent.text }] }];
}

/**
 * The body that says it to the service. A stored conversation is the service's own to know, so only the question is
 * sent; refusals and notices are no messages and never in it.
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
