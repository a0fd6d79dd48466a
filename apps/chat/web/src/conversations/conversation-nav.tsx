import { useEffect, useRef, useState } from "react";
import { Button } from "../design/button.tsx";
import { useObservable } from "../design/observable.ts";
import { useRoute } from "../router.tsx";
import { ConversationItem } from "./conversation-item.tsx";
import { groupByDate, untilTomorrow } from "./grouping.ts";
import {
  conversationList,
  foundConversations,
  loadMoreConversations,
  refreshConversations,
  searchConversations,
  searchWords,
} from "./list.ts";

/** All conversations by date. Scrolling loads more. */
export function ConversationNav() {
  const words = useObservable(searchWords).trim();
  const source = words === "" ? conversationList : foundConversations;
  const { conversations, nextCursor, loading, failed } = useObservable(source);
  const route = useRoute();
  const now = useToday();
  const end = useRef<HTMLDivElement>(null);
  const currentId = route.page === "conversation" ? route.id : null;
  const more = nextCursor !== null && nextCursor !== undefined;

  useEffect(() => {
    const element = end.current;
    if (!element || !more) return;
    const watcher = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) void loadMoreConversations(source);
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [more, source]);

  return (
    <nav aria-label="Conversations" className="min-h-0 grow overflow-y-auto overscroll-contain px-2 pb-4">
      {groupByDate(conversations, now).map(({ label, conversations: members }) => (
        <section key={label} aria-label={label}>
          <h2 className="px-3 pt-4 pb-1 font-medium text-quiet text-xs">{label}</h2>
          <ul>
            {members.map((conversation) => (
              <ConversationItem
                key={conversation.id}
                conversation={conversation}
                current={conversation.id === currentId}
              />
            ))}
          </ul>
        </section>
      ))}
      {conversations.length === 0 && !loading && !failed && (
        <p className="break-words px-3 pt-4 text-quiet text-sm">
          {words === "" ? "Your conversations will appear here." : `No conversation mentions “${words}”.`}
        </p>
      )}
      {failed && (
        <div className="px-3 pt-4 text-quiet text-sm">
          <p>Your conversations could not be loaded.</p>
          <Button
            size="small"
            className="mt-2"
            onClick={() =>
              void (conversations.length > 0
                ? loadMoreConversations(source)
                : words === ""
                  ? refreshConversations()
                  : searchConversations(words))
            }
          >
            Try again
          </Button>
        </div>
      )}
      {/* The keyboard reaches this too, because the end of the list comes into view with the focus. */}
      <div ref={end} className="h-6" aria-hidden="true" />
      {loading && conversations.length > 0 && <p className="px-3 pb-2 text-quiet text-xs">Loading more …</p>}
    </nav>
  );
}

/** Returns the time of the last change of day, or of the page's last return to view. */
function useToday(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const look = () => setNow(Date.now());
    const timer = setTimeout(look, untilTomorrow(now));
    addEventListener("focus", look);
    return () => {
      clearTimeout(timer);
      removeEventListener("focus", look);
    };
  }, [now]);
  return now;
}
