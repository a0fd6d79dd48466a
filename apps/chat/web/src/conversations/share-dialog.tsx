import { useState } from "react";
import { announce } from "../design/announcer.tsx";
import { Button, buttonClass } from "../design/button.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { Modal } from "../design/modal.tsx";
import { useObservable } from "../design/observable.ts";
import type { ConversationDialog } from "./dialogs.ts";
import { conversationList, shareConversation, unshareConversation } from "./list.ts";

/** Creates, shows and removes the public link of a conversation. */
export function ShareDialog({
  open,
  subject,
  onClose,
}: {
  open: boolean;
  subject: ConversationDialog;
  onClose: () => void;
}) {
  const { conversations } = useObservable(conversationList);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const sharePath = conversations.find(({ id }) => id === subject.id)?.sharePath ?? null;
  const link = sharePath === null ? null : new URL(sharePath, location.origin).href;

  const attempt = async (work: () => Promise<unknown>, said: string) => {
    setBusy(true);
    setFailed(false);
    try {
      await work();
      announce(said);
    } catch {
      setFailed(true);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal
      open={open}
      onClose={onClose}
      title={link === null ? "Share this conversation" : "This conversation is shared"}
      description={
        <p>
          {link === null
            ? "Anyone with the link can read it, including anything added later. No one else can write in it, and you can remove the link at any time."
            : "Anyone with this link can read it, including anything added later."}
        </p>
      }
      actions={
        link === null ? (
          <Button
            look="solid"
            disabled={busy}
            onClick={() => void attempt(() => shareConversation(subject.id), "Link created.")}
          >
            {busy ? "Creating the link …" : "Create link"}
          </Button>
        ) : (
          <>
            <Button
              disabled={busy}
              onClick={() => void attempt(() => unshareConversation(subject.id), "The link no longer works.")}
            >
              Stop sharing
            </Button>
            <CopyButton
              worded
              label="Copy link"
              className={`${buttonClass("solid")} [&_svg]:size-4`}
              text={() => link}
            />
          </>
        )
      }
    >
      {link !== null && (
        <input
          readOnly
          aria-label="Link to the shared conversation"
          value={link}
          onFocus={(event) => event.target.select()}
          className="mt-5 h-11 w-full rounded-xl border border-line bg-sunken px-3.5 text-base sm:text-sm"
        />
      )}
      {failed && (
        <p role="alert" className="mt-4 rounded-xl bg-bad-tint px-4 py-2.5 text-bad text-sm">
          Something went wrong. Please try again.
        </p>
      )}
    </Modal>
  );
}
