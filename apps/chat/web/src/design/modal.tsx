import { Dialog } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { iconButtonClass } from "./button.tsx";

interface ModalProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children?: ReactNode;
  /** The row of buttons; the one that is safe comes first. */
  actions?: ReactNode;
  initialFocus?: RefObject<HTMLElement | null>;
  /** Where focus goes on closing; without one, back to where it was. */
  finalFocus?: () => HTMLElement | null;
  /** `alertdialog` for questions that must be answered. */
  role?: "dialog" | "alertdialog";
}

/** A dialog in the middle of the screen; at the bottom on phones, in reach of a thumb. Escape and the cross close it. */
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
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) onClose();
      }}
      disablePointerDismissal={role === "alertdialog"}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop z-40" />
        <Dialog.Viewport className="fixed inset-0 z-50 flex items-end justify-center overflow-y-auto p-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:items-center sm:p-6">
          <Dialog.Popup
            role={role}
            className="popup relative w-full max-w-md rounded-2xl border border-line bg-raised p-6 shadow-float outline-none"
            {...(initialFocus ? { initialFocus } : {})}
            // Given only where it is wanted: it moves the focus also from where a person has gone while this one fades.
            {...(finalFocus ? { finalFocus: () => elementOrBack(finalFocus()) } : {})}
          >
            <Dialog.Title className="pe-8 font-semibold text-lg leading-snug tracking-tight">
              {title}
            </Dialog.Title>
            {description !== undefined && (
              <Dialog.Description className="mt-2 text-quiet" render={<div />}>
                {description}
              </Dialog.Description>
            )}
            {children}
            {actions && <div className="mt-6 flex flex-wrap justify-end gap-2">{actions}</div>}
            <Dialog.Close
              aria-label="Close"
              title="Close"
              className={`${iconButtonClass} absolute! top-3.5 right-3.5`}
            >
              <X aria-hidden="true" />
            </Dialog.Close>
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** `true` is for "back to where it was". */
function elementOrBack(target: HTMLElement | null): HTMLElement | true {
  return target === null || target === document.body ? true : target;
}
