import {
  type DialogHTMLAttributes,
  type KeyboardEvent,
  type RefObject,
  useLayoutEffect,
  useRef,
} from "react";

interface DialogOptions {
  open: boolean;
  /** Asked for by Escape, or by a press outside. */
  onClose: () => void;
  initialFocus?: RefObject<HTMLElement | null> | undefined;
  /** Moves the focus on closing; without it, the browser gives it back to where it was. */
  finalFocus?: (() => void) | undefined;
  /** Whether a press outside closes it. */
  closesOutside: boolean;
}

/**
 * Opens and closes a `<dialog>` over the page: what is behind it is inert, and the focus stays within, by the browser's
 * own means. Returns what the element has to be given.
 */
export function useDialog(
  frame: RefObject<HTMLDialogElement | null>,
  { open, onClose, initialFocus, finalFocus, closesOutside }: DialogOptions,
): DialogHTMLAttributes<HTMLDialogElement> {
  const pressedOutside = useRef(false);

  // Only opening and closing do anything: what else it was given may be new at each render.
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
    // The state decides, and not the browser.
    onCancel: (event) => {
      if (event.target !== event.currentTarget) return;
      event.preventDefault();
      onClose();
    },
    // A second Escape closes it whatever a page says.
    onClose: (event) => {
      if (open && event.target === event.currentTarget) onClose();
    },
    onKeyDown: keepFocusWithin,
    // Both ends of the press: a selection that ends outside is no wish to leave.
    onPointerDown: (event) => {
      pressedOutside.current = event.target === event.currentTarget;
    },
    onClick: (event) => {
      if (closesOutside && pressedOutside.current && event.target === event.currentTarget) onClose();
    },
  };
}

/** From the last element to the first, and back: by itself the focus would leave for the browser's own bars. */
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
