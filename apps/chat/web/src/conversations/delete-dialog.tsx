import { useRef, useState } from "react";
import { dropDraft } from "../chat/drafts.ts";
import { closeConversation } from "../chat/sessions.ts";
import { announce } from "../design/announcer.tsx";
import { Button } from "../design/button.tsx";
import { drawerOpen } from "../design/drawer-state.ts";
import { Modal } from "../design/modal.tsx";
import { conversationPath, currentPath, navigate } from "../router.tsx";
import type { ConversationDialog } from "./dialogs.ts";
import { deleteConversation } from "./list.ts";

/** Asks for confirmation before a conversation is deleted. */
export function DeleteDialog({
  open,
  subject,
  onClose,
}: {
  open: boolean;
  subject: ConversationDialog;
  onClose: () => void;
}) {
  const [state, setState] = useState<"asking" | "deleting" | "failed">("asking");
  const deleted = useRef(false);
  const cancel = useRef<HTMLButtonElement>(null);

  const confirm = async () => {
    setState("deleting");
    try {
      await deleteConversation(subject.id);
    } catch {
      setState("failed");
      return;
    }
    deleted.current = true;
    closeConversation(subject.id);
    dropDraft(subject.id);
    announce("Deleted.");
    if (currentPath.get() === conversationPath(subject.id)) {
      drawerOpen.set(false);
      navigate("/");
    }
    onClose();
  };

  return (
    <Modal
      open={open}
      onClose={onClose}
      role="alertdialog"
      title="Delete this conversation?"
      description={
        <p>
          “
          <span dir="auto" className="break-words font-medium text-ink">
            {subject.title}
          </span>
          ” will be deleted permanently, along with its shared page if it has one.
        </p>
      }
      initialFocus={cancel}
      finalFocus={() => {
        // The button that opened the dialog is gone with its conversation, so focus would return to the top of the
        // page.
        if (deleted.current) document.querySelector<HTMLElement>("nav[aria-label=Conversations] a")?.focus();
      }}
      actions={
        <>
          <Button ref={cancel} onClick={onClose}>
            Cancel
          </Button>
          <Button look="danger" disabled={state === "deleting"} onClick={() => void confirm()}>
            {state === "deleting" ? "Deleting …" : "Delete"}
          </Button>
        </>
      }
    >
      {state === "failed" && (
        <p role="alert" className="mt-4 rounded-xl bg-bad-tint px-4 py-2.5 text-bad text-sm">
          It could not be deleted. Please try again.
        </p>
      )}
    </Modal>
  );
}
