import { X } from "lucide-react";
import { type ReactNode, type RefObject, useId, useRef } from "react";
import { iconButtonClass } from "./button.tsx";
import { useDialog } from "./dialog.ts";

interface ModalProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children?: ReactNode;
  /** The buttons, with the safe button first. */
  actions?: ReactNode;
  initialFocus?: RefObject<HTMLElement | null>;
  /** Moves the focus after closing. Default: the focus returns to where it was. */
  finalFocus?: () => void;
  /** `alertdialog` for questions that must be answered. */
  role?: "dialog" | "alertdialog";
}

/** A dialog in the middle of the screen, or at the bottom on phones. Escape and the cross close it. */
export function Modal({
  open,
  onClose,
  title,
  description,
  children,
  actions,
  initialFocus,
  finalFocus,
  role = "dialog",
}: ModalProps) {
  const id = useId();
  const frame = useRef<HTMLDialogElement>(null);
  const dialog = useDialog(frame, {
    open,
    onClose,
    initialFocus,
    finalFocus,
    closesOutside: role === "dialog",
  });
  return (
    <dialog
      {...dialog}
      ref={frame}
      role={role}
      aria-labelledby={`${id}-title`}
      aria-describedby={description === undefined ? undefined : `${id}-description`}
      className="modal"
    >
      <div className="relative p-6">
        <h2 id={`${id}-title`} className="pe-8 font-semibold text-lg leading-snug tracking-tight">
          {title}
        </h2>
        {description !== undefined && (
          <div id={`${id}-description`} className="mt-2 text-quiet">
            {description}
          </div>
        )}
        {children}
        {actions && <div className="mt-6 flex flex-wrap justify-end gap-2">{actions}</div>}
        <button
          type="button"
          aria-label="Close"
          title="Close"
          className={`${iconButtonClass} absolute! top-3.5 right-3.5`}
          onClick={onClose}
        >
          <X aria-hidden="true" />
        </button>
      </div>
    </dialog>
  );
}
