import { Menu as MenuIcon, Share2, SquarePen } from "lucide-react";
import { useState } from "react";
import { Button, IconButton, iconButtonClass } from "../design/button.tsx";
import { drawerOpen } from "../design/drawer-state.ts";
import { useObservable } from "../design/observable.ts";
import { Link } from "../router.tsx";
import { ConversationMenu } from "./conversation-menu.tsx";
import { conversationDialog } from "./dialogs.ts";
import { conversationList } from "./list.ts";
import { RenameField } from "./rename-field.tsx";

/** The bar above the thread, with the conversation's title and menu. */
export function ConversationHeader({ id }: { id: string | null }) {
  const { conversations } = useObservable(conversationList);
  const [editing, setEditing] = useState(false);
  const conversation = conversations.find((candidate) => candidate.id === id);
  return (
    <header className="bar flex min-h-14 shrink-0 items-center gap-1 border-line border-b px-2 pt-[env(safe-area-inset-top)] md:border-transparent md:px-4">
      <IconButton label="Open the sidebar" className="md:hidden" onClick={() => drawerOpen.set(true)}>
        <MenuIcon aria-hidden="true" />
      </IconButton>
      {conversation && editing ? (
        <RenameField
          key={conversation.id}
          id={conversation.id}
          title={conversation.title}
          className="max-w-md"
          onDone={() => setEditing(false)}
        />
      ) : (
        conversation && (
          <h1 dir="auto" className="min-w-0 truncate px-1.5 font-medium text-[0.9375rem]">
            {conversation.title}
          </h1>
        )
      )}
      <span className="grow" />
      {conversation && (
        <>
          <Button
            look="ghost"
            size="small"
            className="max-sm:hidden"
            onClick={() =>
              conversationDialog.set({ kind: "share", id: conversation.id, title: conversation.title })
            }
          >
            <Share2 aria-hidden="true" className="size-4" />
            {conversation.sharePath === null ? "Share" : "Shared"}
          </Button>
          <ConversationMenu conversation={conversation} onRename={() => setEditing(true)} />
        </>
      )}
      <Link href="/" aria-label="New chat" title="New chat" className={`${iconButtonClass} md:hidden`}>
        <SquarePen aria-hidden="true" />
      </Link>
    </header>
  );
}
