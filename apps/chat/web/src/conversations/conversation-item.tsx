import { Share2 } from "lucide-react";
import { memo, useRef } from "react";
import type { Conversation } from "../../../contract.ts";
import { drawerOpen } from "../design/drawer-state.ts";
import { useObservable } from "../design/observable.ts";
import { conversationPath, Link } from "../router.tsx";
import { ConversationMenu } from "./conversation-menu.tsx";
import { renaming } from "./dialogs.ts";
import { RenameField } from "./rename-field.tsx";

interface ConversationItemProps {
  conversation: Conversation;
  current: boolean;
}

/** One conversation in the list. */
export const ConversationItem = memo(function ConversationItem({
  conversation,
  current,
}: ConversationItemProps) {
  const editing = useObservable(renaming) === conversation.id;
  const item = useRef<HTMLLIElement>(null);
  if (editing) {
    return (
      <li ref={item} className="px-1 py-0.5">
        <RenameField
          id={conversation.id}
          title={conversation.title}
          onDone={() => {
            renaming.set(null);
            requestAnimationFrame(() => item.current?.querySelector("a")?.focus());
          }}
        />
      </li>
    );
  }
  return (
    <li ref={item} className="group/item relative flex items-center">
      <Link
        href={conversationPath(conversation.id)}
        aria-current={current ? "page" : undefined}
        title={conversation.title}
        onClick={() => drawerOpen.set(false)}
        className="flex min-h-9 min-w-0 grow items-center gap-2 rounded-lg ps-3 pe-3 text-sm group-focus-within/item:pe-10 group-hover/item:pe-10 transition-colors hover:bg-tint aria-[current=page]:bg-tint aria-[current=page]:font-medium pointer-coarse:min-h-11 pointer-coarse:pe-12"
      >
        <span dir="auto" className="truncate">
          {conversation.title}
        </span>
        {conversation.sharePath !== null && (
          <Share2 aria-label="Shared" className="size-3.5 shrink-0 text-quiet" />
        )}
      </Link>
      <ConversationMenu
        conversation={conversation}
        onRename={() => renaming.set(conversation.id)}
        className="absolute! right-0 opacity-0 focus-visible:opacity-100 group-hover/item:opacity-100 aria-expanded:opacity-100 pointer-coarse:opacity-100"
      />
    </li>
  );
});
