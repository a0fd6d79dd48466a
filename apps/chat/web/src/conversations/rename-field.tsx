import { useLayoutEffect, useRef, useState } from "react";
import { announce } from "../design/announcer.tsx";
import { renameConversation } from "./list.ts";

const longestTitle = 120;

interface RenameFieldProps {
  id: string;
  title: string;
  /** Called once when editing ends, with or without a change. */
  onDone: () => void;
  className?: string;
}

/** An inline field for a title. Enter and leaving the field save; Escape does not. */
export function RenameField({ id, title, onDone, className = "" }: RenameFieldProps) {
  const [text, setText] = useState(title);
  const [failed, setFailed] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const finished = useRef(false);

  // Focus the field before the browser moves the focus from the removed button.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);

  const finish = () => {
    if (finished.current) return;
    finished.current = true;
    onDone();
  };

  const save = async () => {
    const name = text.trim();
    if (finished.current) return;
    if (name === "" || name === title) return finish();
    try {
      await renameConversation(id, name);
      announce("Renamed.");
      finish();
    } catch {
      setFailed(true);
      announce("The name could not be saved. Please try again.");
    }
  };

  return (
    <form
      className={`min-w-0 grow ${className}`}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <input
        ref={field}
        aria-label="Name of the conversation"
        aria-invalid={failed}
        title={failed ? "The name could not be saved." : undefined}
        value={text}
        maxLength={longestTitle}
        autoComplete="off"
        dir="auto"
        enterKeyHint="done"
        onChange={(event) => setText(event.target.value)}
        onBlur={() => void save()}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
          event.preventDefault();
          event.stopPropagation();
          finish();
        }}
        className="h-9 w-full min-w-0 rounded-lg border border-accent bg-raised px-2.5 text-base outline-none ring-1 ring-accent aria-invalid:border-bad aria-invalid:ring-bad sm:text-sm"
      />
    </form>
  );
}
