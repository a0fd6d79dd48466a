import { useState } from "react";
import { useObservable } from "../design/observable.ts";
import { DeleteDialog } from "./delete-dialog.tsx";
import { conversationDialog } from "./dialogs.ts";
import { ShareDialog } from "./share-dialog.tsx";

/** The dialogs for a conversation. Each stays until its closing animation has ended. */
export function ConversationDialogs() {
  const current = useObservable(conversationDialog);
  const [last, setLast] = useState(current);
  if (current && current !== last) setLast(current);
  const subject = current ?? last;
  if (!subject) return null;
  const props = { open: current !== null, subject, onClose: () => conversationDialog.set(null) };
  const key = `${subject.kind} ${subject.id}`;
  return subject.kind === "delete" ? (
    <DeleteDialog key={key} {...props} />
  ) : (
    <ShareDialog key={key} {...props} />
  );
}
