import {
  type DialogHTMLAttributes,
  type KeyboardEvent,
  type RefObject,
  useLayoutEffect,
  useRef,
} from "react";

interface DialogOptions {
  open: boolean;
  /** Called on Escape or a press outside. */
  onClose: () => void;
  initialFocus?: RefObject<HTMLElement | null> | undefined;
  /** Moves the focus after closing. Default: the browser restores the previous focus. */
  finalFocus?: (() => void) | undefined;
  /** Whether a press outside closes the dialog. */
  closesOutside: boolean;
}

/**
 * Opens and closes a modal `<dialog>`: the browser makes the page behind it inert and keeps the focus inside. Returns
 * the props of the element.
 */
export function useDialog(
  frame: RefObject<HTMLDialogElement | null>,
  { open, onClose, initialFocus, finalFocus, closesOutside }: DialogOptions,
): DialogHTMLAttributes<HTMLDialogElement> {
  const pressedOutside = useRef(false);

  // Runs only on opening and closing, because the other arguments may change at each render.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useLayoutEffect(() => {
    const dialog = frame.current;
    if (!dialog || dialog.open === open) return;
    if (open) {
      dialog.showModal();
      initialFocus?.current?.focus();
    } else {
      dialog.close();
      finalFocus?.();
    }
  }, [open]);

  return {
    // The component's state closes the dialog, not the browser.
    onCancel: (event) => {
      if (event.target !== event.currentTarget) return;
      event.preventDefault();
      onClose();
    },
    // Browsers let a second Escape close a dialog in any case.
    onClose: (event) => {
      if (open && event.target === event.currentTarget) onClose();
    },
    onKeyDown: keepFocusWithin,
    // The press must begin and end outside, so that a text selection that ends outside does not close the dialog.
    onPointerDown: (event) => {
      pressedOutside.current = event.target === event.currentTarget;
    },
    onClick: (event) => {
      if (closesOutside && pressedOutside.current && event.target === event.currentTarget) onClose();
    },
  };
}

/** Wraps the focus from the last element to the first and back. Otherwise it would move to the browser's own bars. */
function keepFocusWithin(event: KeyboardEvent<HTMLDialogElement>): void {
  if (event.key !== "Tab") return;
  const all = event.currentTarget.querySelectorAll<HTMLElement>(
    "a[href], button, input, summary, [tabindex]",
  );
  const stops = [...all].filter((element) => element.tabIndex >= 0 && element.checkVisibility());
  const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
  if (document.activeElement !== from || !to) return;
  event.preventDefault();
  to.focus();
}
