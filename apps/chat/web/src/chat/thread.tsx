import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { useStickToBottom } from "use-stick-to-bottom";
import type { ChatMessage } from "../../../contract.ts";
import { me } from "../account/me.ts";
import { announce } from "../design/announcer.tsx";
import { Button, buttonClass } from "../design/button.tsx";
import { useObservable } from "../design/observable.ts";
import { ScrollRegion } from "../design/scroll-region.tsx";
import { navigate } from "../router.tsx";
import { beginEditing, draftOf, newConversation, putFirst } from "./drafts.ts";
import { EmptyState } from "./empty-state.tsx";
import { spokenFailure } from "./failure-words.tsx";
import { textOf } from "./message.ts";
import { Answer, FirstTokenIndicator, loadMarkdown, Question } from "./message-view.tsx";
import { Notice, SharedNotice } from "./notices.tsx";
import type { ChatSession } from "./session.ts";
import { loadFigures } from "./tools/tool-step.tsx";

/** How many messages are shown at first. Older messages are shown on request, so that a long thread opens quickly. */
const shownAtFirst = 60;

interface ThreadProps {
  session: ChatSession;
  focusComposer: () => void;
}

/**
 * The conversation, with a notice of any failure below. It stays scrolled to its end only while the reader is there.
 */
export function Thread({ session, focusComposer }: ThreadProps) {
  const messages = useObservable(session.messages);
  const { conversationId, phase, failure } = useObservable(session.state);
  const builtIn = useObservable(me)?.model.builtIn === true;
  const [calm] = useState(() => matchMedia("(prefers-reduced-motion: reduce)").matches);
  const { scrollRef, contentRef, isAtBottom, scrollToBottom } = useStickToBottom({
    initial: "instant",
    resize: calm ? "instant" : "smooth",
  });
  const [hidden, setHidden] = useState(() => Math.max(0, messages.length - shownAtFirst));

  useEffect(() => {
    // Preload the code for answers while the question is being written.
    void loadMarkdown();
    void loadFigures();
  }, []);

  useEffect(() => {
    // Print the whole conversation.
    const showAll = () => flushSync(() => setHidden(0));
    addEventListener("beforeprint", showAll);
    return () => removeEventListener("beforeprint", showAll);
  }, []);

  useEffect(() => {
    if (phase === "asking") void scrollToBottom(calm ? "instant" : "smooth");
  }, [phase, scrollToBottom, calm]);

  useEffect(() => {
    if (!failure) return;
    const sentence = spokenFailure(failure);
    if (sentence !== "") announce(sentence);
    void scrollToBottom(calm ? "instant" : "smooth");
  }, [failure, scrollToBottom, calm]);

  const busy = phase !== "idle";
  const edit = useCallback(
    (message: ChatMessage) => {
      session.draft().set((draft) => beginEditing(draft, { id: message.id, text: textOf(message) }));
      focusComposer();
    },
    [session, focusComposer],
  );
  const retry = useCallback(
    (answerId: string) => {
      focusComposer();
      void session.again(answerId);
    },
    [session, focusComposer],
  );
  const follow = useCallback(
    (question: string) => {
      focusComposer();
      void session.ask(question);
    },
    [session, focusComposer],
  );
  const goOn = useCallback(
    (answerId: string) => {
      focusComposer();
      // The built-in calculator answers only whole questions. A model can continue where it stopped.
      if (builtIn) void session.again(answerId);
      else void session.ask("Please go on from where you stopped.");
    },
    [session, focusComposer, builtIn],
  );

  const resend = async () => {
    focusComposer();
    await session.resend();
  };
  const hasDraft = useObservable(session.draft()).text.trim() !== "";

  const last = messages.at(-1);
  const awaiting = (phase === "waiting" || phase === "answering") && last?.role === "user";
  const unanswered = !busy && !failure && last?.role === "user";
  const empty = messages.length === 0 && !failure;

  return (
    <div className="printed flex min-h-0 grow flex-col">
      <ScrollRegion
        ref={scrollRef}
        label="Conversation"
        className="printed gutter min-h-0 grow overflow-y-auto overscroll-contain"
      >
        <div
          ref={contentRef}
          className={`mx-auto flex min-h-full w-full max-w-3xl flex-col gap-5 px-4 pt-6 sm:px-6 ${empty ? "pb-4" : "pb-8"}`}
        >
          {empty && phase !== "waiting" ? (
            <EmptyState onAsk={(question) => void session.ask(question)} />
          ) : (
            // Once the conversation is stored, the header shows its title.
            conversationId === undefined && <h1 className="sr-only">New chat</h1>
          )}
          {hidden > 0 && messages.length > hidden && (
            <Button look="ghost" size="small" className="self-center" onClick={() => setHidden(0)}>
              Show {hidden} earlier messages
            </Button>
          )}
          {messages.slice(messages.length > hidden ? hidden : 0).map((message) => {
            const isLast = message === last;
            return (
              <div key={message.id} className={isLast && !busy ? "group/thread" : undefined}>
                {message.role === "user" ? (
                  <Question message={message} onEdit={busy ? undefined : edit} />
                ) : (
                  <Answer
                    message={message}
                    live={isLast && phase === "answering"}
                    onRetry={busy || !isLast ? undefined : retry}
                    onContinue={busy || !isLast || failure ? undefined : goOn}
                    onAsk={busy || !isLast || failure ? undefined : follow}
                  />
                )}
              </div>
            );
          })}
          {awaiting && <FirstTokenIndicator />}
          {unanswered && (
            <div className="flex flex-wrap items-center gap-3 text-quiet text-sm">
              This question has no answer yet.
              <Button size="small" onClick={() => void session.again()}>
                Answer it
              </Button>
            </div>
          )}
          {failure && (
            <Notice
              failure={failure}
              onStartOver={() => {
                draftOf(newConversation).set((draft) => putFirst(draft, session.draft().get().text));
                navigate("/");
              }}
              onResend={resend}
            />
          )}
          {!failure && !busy && <SharedNotice hasDraft={hasDraft} onResend={resend} />}
        </div>
      </ScrollRegion>
      {!isAtBottom && !empty && (
        // The button is in a separate row, because over the thread it would cover text.
        <div className="unprinted flex shrink-0 justify-center pt-1 pb-2">
          <button
            type="button"
            onClick={() => void scrollToBottom(calm ? "instant" : "smooth")}
            className={buttonClass("outline", "small")}
          >
            <ArrowDown aria-hidden="true" className="size-4" />
            Jump to latest
          </button>
        </div>
      )}
    </div>
  );
}
