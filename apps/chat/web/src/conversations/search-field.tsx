import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { announce } from "../design/announcer.tsx";
import { useObservable } from "../design/observable.ts";
import { foundConversations, searchConversations, searchWords } from "./list.ts";

/** A search starts after this pause in typing, in milliseconds. */
const pauseMs = 250;

/** Searches conversations by title and content. */
export function SearchField() {
  const words = useObservable(searchWords);
  const [text, setText] = useState(words);
  const { loading, failed, conversations } = useObservable(foundConversations);

  useEffect(() => {
    if (text === searchWords.get()) return;
    const timer = setTimeout(() => void searchConversations(text), text.trim() === "" ? 0 : pauseMs);
    return () => clearTimeout(timer);
  }, [text]);

  // The search can be ended from outside, such as by signing out.
  useEffect(() => {
    if (words === "") setText("");
  }, [words]);

  const count = conversations.length;
  useEffect(() => {
    if (words.trim() === "" || loading || failed) return;
    announce(
      count === 0
        ? "No conversations found."
        : `${count} ${count === 1 ? "conversation" : "conversations"} found.`,
    );
  }, [words, loading, failed, count]);

  return (
    <div className="relative">
      <Search aria-hidden="true" className="absolute inset-y-0 start-3 my-auto size-4 text-quiet" />
      <input
        type="search"
        aria-label="Search conversations"
        placeholder="Search"
        value={text}
        maxLength={200}
        autoComplete="off"
        enterKeyHint="search"
        dir="auto"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || text === "") return;
          event.preventDefault();
          event.stopPropagation();
          setText("");
        }}
        className="h-9 w-full rounded-lg bg-transparent ps-9 pe-2 text-base outline-none placeholder:text-quiet hover:bg-tint focus:bg-raised focus:ring-1 focus:ring-accent pointer-coarse:h-11 sm:text-sm"
      />
    </div>
  );
}
