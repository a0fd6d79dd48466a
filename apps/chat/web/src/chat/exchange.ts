import type { ChatMessage } from "../../../contract.ts";
import { me } from "../account/me.ts";
import { problemOf } from "../service/api.ts";
import { client } from "../service/client.ts";
import { ServiceError } from "../service/failure.ts";
import { tellTabs } from "../service/tabs.ts";
import type { AnswerReading } from "./answer-reading.ts";
import { afterAccepted, draftOf, newConversation } from "./drafts.ts";
import { chosenModel, modelToName } from "./model-choice.ts";
import { requestFor } from "./request.ts";
import type { SessionParts } from "./session-state.ts";
import type { TurnUnderWay } from "./turn-under-way.ts";

/** Sends the thread, and reads the answer into it. @throws the failure */
export type Exchange = (own: TurnUnderWay, thread: readonly ChatMessage[]) => Promise<void>;

/** @param accepted called when the service has stored the question */
export function createExchange(
  { messages, patch, currentId, draft }: SessionParts,
  reading: AnswerReading,
  accepted: (conversationId: string, question: string, answering: boolean) => void,
): Exchange {
  /** The service has accepted the question: it leaves the composer and stays in the thread. */
  function take(response: Response, own: TurnUnderWay): void {
    own.accepted = true;
    const { intent } = own;
    const from = draft();
    const known = currentId();
    if (intent.kind === "ask") {
      from.set((current) => afterAccepted(current, intent.text));
      tellTabs({ kind: "sent", conversation: known ?? newConversation, text: intent.text });
    }
    // A caller who gets an answer is no longer refused, in any tab.
    if (client.refusal()) client.clear();
    const conversationId = response.headers.get("x-conversation-id") ?? known;
    patch({ phase: "answering", conversationId });
    if (conversationId === undefined) return;
    if (known === undefined) {
      // Text typed after the question moves to the conversation's draft.
      draftOf(conversationId).set(from.get());
      from.set({ text: "" });
    }
    accepted(conversationId, intent.kind === "ask" ? intent.text : "", response.ok);
  }

  return async (own, thread) => {
    const body = requestFor(thread, {
      conversationId: currentId(),
      replaces: own.intent.replaces,
      model: modelToName(me.get(), chosenModel.get()),
    });
    const response = await client.fetch("/chat/message", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: own.abort.signal,
    });
    // The model failed before its first word, but the service has stored the question.
    const isStored = own.intent.kind === "ask" && response.headers.has("x-conversation-id");
    if (response.ok || isStored) {
      messages.set(thread);
      take(response, own);
    }
    if (!response.ok || !response.body) throw new ServiceError(response.status, await problemOf(response));
    await reading.readToEnd(own, response.body, thread);
  };
}
