import { ArrowUp, Pencil, Square, X } from "lucide-react";
import { type KeyboardEvent, type Ref, useEffect, useLayoutEffect, useRef } from "react";
import { IconButton } from "../design/button.tsx";
import { hasKeyboard } from "../design/media.ts";
import { useObservable } from "../design/observable.ts";
import { cancelEditing } from "./drafts.ts";
import { isSendKey } from "./send-key.ts";
import type { ChatSession } from "./session.ts";

/** Longer texts scroll inside the field. */
const highestPx = 240;

/** The maximum length of a message. A counter appears near this limit. */
export const longestQuestion = 16_000;

interface ComposerProps {
  session: ChatSession;
  fieldRef: Ref<HTMLTextAreaElement>;
}

/** The field for questions. Enter sends, Shift+Enter adds a line, Escape stops the answer or ends an edit. */
export function Composer({ session, fieldRef }: ComposerProps) {
  const state = useObservable(session.state);
  const draftStore = session.draft();
  const draft = useObservable(draftStore);
  const field = useRef<HTMLTextAreaElement | null>(null);
  const busy = state.phase !== "idle";
  const blank = draft.text.trim() === "";
  const tooLong = draft.text.length > longestQuestion;
  const editing = draft.replaces !== undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, highestPx)}px`;
  }, [draft.text]);

  useEffect(() => {
    if (!editing) return;
    field.current?.focus();
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length);
  }, [editing]);

  const endEditing = () => {
    draftStore.set(cancelEditing);
    field.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (isSendKey(event.nativeEvent)) {
      event.preventDefault();
      if (!tooLong) void session.ask();
      return;
    }
    if (event.key === "Escape" && editing && !busy && !event.nativeEvent.isComposing) endEditing();
  };

  return (
    <form
      aria-label="Message"
      onSubmit={(event) => {
        event.preventDefault();
        if (blank || tooLong) return field.current?.focus();
        void session.ask();
        // On a touch screen, let the keyboard close to make room for the answer.
        if (hasKeyboard()) field.current?.focus();
        else field.current?.blur();
      }}
      className="composer rounded-3xl border border-line-strong/70 bg-raised shadow-soft transition-[border-color,box-shadow] focus-within:border-accent focus-within:ring-1 focus-within:ring-accent"
    >
      {editing && (
        <div className="flex items-center gap-2 border-line border-b py-1 ps-5 pe-2 text-quiet text-sm">
          <Pencil aria-hidden="true" className="size-3.5" />
          <span className="grow">Editing your question. Everything after it will be replaced.</span>
          <IconButton label="Cancel editing" onClick={endEditing}>
            <X aria-hidden="true" />
          </IconButton>
        </div>
      )}
      <div className="flex items-end gap-2 p-2 ps-5">
        <textarea
          ref={(element) => {
            field.current = element;
            if (typeof fieldRef === "function") fieldRef(element);
            else if (fieldRef) fieldRef.current = element;
          }}
          aria-label="Your question"
          dir="auto"
          aria-describedby={tooLong ? "question-length" : undefined}
          aria-invalid={tooLong}
          placeholder="Ask about UK tax on a salary"
          rows={1}
          enterKeyHint="send"
          autoComplete="off"
          value={draft.text}
          onChange={(event) => draftStore.set((current) => ({ ...current, text: event.target.value }))}
          onKeyDown={onKeyDown}
          className="max-h-60 min-h-10 grow resize-none pointer-coarse:min-h-11 pointer-coarse:py-2.5 bg-transparent py-2 text-base leading-6 outline-none placeholder:text-quiet"
        />
        {busy ? (
          <button
            type="button"
            data-send=""
            aria-label="Stop answering"
            title="Stop answering (Esc)"
            onClick={() => {
              session.stop();
              field.current?.focus();
            }}
            className="flex size-10 shrink-0 items-center justify-center rounded-full border border-transparent bg-ink text-canvas transition-opacity hover:opacity-85 pointer-coarse:size-11"
          >
            <Square aria-hidden="true" className="size-3.5 fill-current" />
          </button>
        ) : (
          <button
            type="submit"
            data-send=""
            aria-label="Send"
            title="Send (Enter)"
            aria-disabled={blank || tooLong}
            className="flex size-10 shrink-0 items-center justify-center rounded-full border border-transparent bg-accent text-on-accent transition-colors hover:bg-accent-hover aria-disabled:bg-tint aria-disabled:text-quiet pointer-coarse:size-11"
          >
            <ArrowUp aria-hidden="true" className="size-5" />
          </button>
        )}
      </div>
      {draft.text.length > longestQuestion * 0.9 && (
        <p
          id="question-length"
          className={`tabular px-5 pb-2.5 text-sm ${tooLong ? "text-bad" : "text-quiet"}`}
        >
          {tooLong
            ? `${(draft.text.length - longestQuestion).toLocaleString("en-GB")} characters too long to send.`
            : `${(longestQuestion - draft.text.length).toLocaleString("en-GB")} characters left.`}
        </p>
      )}
    </form>
  );
}
