import { QuotaMeter, useRateLimit } from "headgate/react";
import { useCallback, useEffect, useRef } from "react";
import { me } from "../account/me.ts";
import { ConversationHeader } from "../conversations/conversation-header.tsx";
import { hasKeyboard } from "../design/media.ts";
import { useObservable } from "../design/observable.ts";
import { client } from "../service/client.ts";
import { online } from "../service/online.ts";
import { Composer } from "./composer.tsx";
import { composerFocus } from "./composer-focus.ts";
import { chooseModel, chosenModel, modelToName } from "./model-choice.ts";
import { PageFailure } from "./page-failure.tsx";
import type { ChatSession } from "./session.ts";
import { freshConversation, openConversation, reopenConversation } from "./sessions.ts";
import { Thread } from "./thread.tsx";

/** The page of a new conversation, or of a stored conversation, which is loaded first. */
export function ChatPage({ id }: { id: string | null }) {
  const opening = useObservable(id === null ? freshConversation() : openConversation(id));
  if (opening.status === "ready") return <ChatView session={opening.session} />;
  return (
    <>
      <ConversationHeader id={opening.status === "loading" ? id : null} />
      {opening.status === "loading" ? (
        <div
          className="mx-auto w-full max-w-3xl grow px-4 pt-8 sm:px-6"
          role="status"
          aria-label="Loading the conversation"
        >
          <div className="ms-auto h-11 w-2/3 animate-pulse rounded-2xl bg-tint" />
          <div className="mt-6 h-4 w-full animate-pulse rounded bg-tint" />
          <div className="mt-3 h-4 w-4/5 animate-pulse rounded bg-tint" />
        </div>
      ) : (
        <PageFailure
          failure={opening.failure}
          onRetry={() => {
            if (id !== null) reopenConversation(id);
          }}
        />
      )}
    </>
  );
}

function ChatView({ session }: { session: ChatSession }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { conversationId } = useObservable(session.state);
  const focusComposer = useCallback(() => {
    if (hasKeyboard()) return field.current?.focus();
    // Focusing the field would open the on-screen keyboard over half of the page, so focus its button.
    field.current?.form?.querySelector<HTMLElement>("[data-send]")?.focus();
  }, []);

  useEffect(() => {
    composerFocus.set(() => focusComposer);
    if (session && hasKeyboard() && !isBusyElsewhere()) focusComposer();
    return () => composerFocus.set(null);
  }, [session, focusComposer]);

  useEscapeToStop(session);

  return (
    <>
      <ConversationHeader id={conversationId ?? null} />
      <Thread key={session.key} session={session} focusComposer={focusComposer} />
      {/* The gutter makes the composer as wide as the thread, whose scrollbar takes up room. */}
      <div className="gutter unprinted -mt-2 shrink-0 overflow-hidden pt-2">
        <div className="mx-auto w-full max-w-3xl px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-6">
          <Composer session={session} fieldRef={field} />
          <UnderComposer />
        </div>
      </div>
    </>
  );
}

/** Open menus and dialogs. */
const overlays = ":popover-open, dialog[open]";

/** Whether the user is in a menu, a dialog or a field. If so, a chat that has just loaded must not take the focus. */
function isBusyElsewhere(): boolean {
  return (
    document.querySelector(overlays) !== null ||
    document.activeElement?.matches("input, textarea, [aria-haspopup]") === true
  );
}

/** Stops the answer on Escape, wherever the focus is, unless Escape closes something else. */
function useEscapeToStop(session: ChatSession): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.shiftKey || event.isComposing || event.defaultPrevented) return;
      if (document.querySelector(overlays)) return;
      session.stop();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [session]);
}

/** Shows the quota if it is nearly used up; otherwise the model and a warning about mistakes. */
function UnderComposer() {
  const { tightest, usedShare } = useRateLimit(client);
  const connected = useObservable(online);
  const current = useObservable(me);
  const chosen = useObservable(chosenModel);
  const model = current?.model;
  const models = current?.models ?? [];
  const shown = modelToName(current, chosen) ?? models[0];
  const name = model?.builtIn
    ? "Answered by the built-in calculator, not an AI model."
    : model
      ? models.length > 1
        ? "It can make mistakes."
        : `Answered by ${model.name}, which can make mistakes.`
      : "";
  return (
    <div className="mt-2 flex min-h-5 flex-wrap items-center justify-center gap-x-4 gap-y-1 px-3 text-center text-quiet text-xs">
      {models.length > 1 && (
        <label className="flex items-center gap-1.5">
          Answered by
          <select
            value={shown}
            // The tooltip shows long names, which are cut.
            title={shown}
            onChange={(event) => chooseModel(event.target.value)}
            className="max-w-56 truncate rounded-md border border-line bg-raised px-1.5 py-0.5 text-ink sm:max-w-80 pointer-coarse:min-h-11 pointer-coarse:text-base"
          >
            {models.map((offered) => (
              <option key={offered}>{offered}</option>
            ))}
          </select>
        </label>
      )}
      <span>{connected ? name : "You're offline. You can keep writing."}</span>
      {tightest && usedShare >= 0.8 && (
        <QuotaMeter
          limit={tightest}
          label={tightest.unit === "tokens" ? "Tokens used" : "Messages used"}
          valueText={(used, { quota, unit, windowSeconds }) =>
            `${used.toLocaleString("en-GB")} of ${quota.toLocaleString("en-GB")} ${unit === "tokens" ? "tokens" : "messages"} ${windowWords(windowSeconds)}`
          }
        />
      )}
    </div>
  );
}

function windowWords(windowSeconds: number | undefined): string {
  if (windowSeconds === 60) return "this minute";
  if (windowSeconds === 3600) return "this hour";
  if (windowSeconds === 86_400) return "today";
  return "used";
}
