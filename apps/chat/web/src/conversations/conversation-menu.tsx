import { Menu } from "@base-ui/react/menu";
import { Ellipsis, Pencil, Share2, Trash2 } from "lucide-react";
import { useRef } from "react";
import type { Conversation } from "../../../contract.ts";
import { iconButtonClass } from "../design/button.tsx";
import { itemClass, menuClass } from "../design/menu.ts";
import { usePortalContainer } from "../design/portal-container.ts";
import { conversationDialog } from "./dialogs.ts";

interface ConversationMenuProps {
  conversation: Pick<Conversation, "id" | "title" | "sharePath">;
  onRename: () => void;
  className?: string;
}

/** What can be done with a conversation. */
export function ConversationMenu({ conversation, onRename, className = "" }: ConversationMenuProps) {
  const { id, title, sharePath } = conversation;
  // What was chosen is done once the menu has closed: on its way out it would take the focus from whatever opens.
  // Kept until it is opened again, since the menu asks where the focus goes when that has been done already.
  const chosen = useRef<(() => void) | null>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const container = usePortalContainer();
  return (
    <Menu.Root
      onOpenChange={(open) => {
        if (open) chosen.current = null;
      }}
      onOpenChangeComplete={(open) => {
        const act = chosen.current;
        if (open || !act) return;
        // This is where a dialog gives the focus back to.
        trigger.current?.focus();
        act();
      }}
    >
      <Menu.Trigger
        ref={trigger}
        aria-label={`Options for ${title}`}
        title="Options"
        className={`${iconButtonClass} ${className}`}
      >
        <Ellipsis aria-hidden="true" />
      </Menu.Trigger>
      <Menu.Portal container={container}>
        <Menu.Positioner className="z-[60]" sideOffset={4} align="end">
          <Menu.Popup className={menuClass} finalFocus={() => chosen.current === null}>
            <Menu.Item
              className={itemClass}
              onClick={() => {
                chosen.current = onRename;
              }}
            >
              <Pencil aria-hidden="true" /> Rename
            </Menu.Item>
            <Menu.Item
              className={itemClass}
              onClick={() => {
                chosen.current = () => conversationDialog.set({ kind: "share", id, title });
              }}
            >
              <Share2 aria-hidden="true" /> {sharePath === null ? "Share" : "Sharing"}
            </Menu.Item>
            <Menu.Item
              className={`${itemClass} text-bad`}
              onClick={() => {
                chosen.current = () => conversationDialog.set({ kind: "delete", id, title });
              }}
            >
              <Trash2 aria-hidden="true" /> Delete
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
