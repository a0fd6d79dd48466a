import { Ellipsis, Pencil, Share2, Trash2 } from "lucide-react";
import type { Conversation } from "../../../contract.ts";
import { iconButtonClass } from "../design/button.tsx";
import { Menu, MenuItem } from "../design/menu.tsx";
import { conversationDialog } from "./dialogs.ts";

interface ConversationMenuProps {
  conversation: Pick<Conversation, "id" | "title" | "sharePath">;
  onRename: () => void;
  className?: string;
}

/** The menu of a conversation. */
export function ConversationMenu({ conversation, onRename, className = "" }: ConversationMenuProps) {
  const { id, title, sharePath } = conversation;
  return (
    <Menu
      label={`Options for ${title}`}
      title="Options"
      trigger={<Ellipsis aria-hidden="true" />}
      className={`${iconButtonClass} ${className}`}
      align="end"
    >
      <MenuItem onChoose={onRename}>
        <Pencil aria-hidden="true" /> Rename
      </MenuItem>
      <MenuItem onChoose={() => conversationDialog.set({ kind: "share", id, title })}>
        <Share2 aria-hidden="true" /> {sharePath === null ? "Share" : "Sharing"}
      </MenuItem>
      <MenuItem className="text-bad" onChoose={() => conversationDialog.set({ kind: "delete", id, title })}>
        <Trash2 aria-hidden="true" /> Delete
      </MenuItem>
    </Menu>
  );
}
