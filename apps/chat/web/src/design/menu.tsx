import {
  createContext,
  type KeyboardEvent,
  type ReactNode,
  useContext,
  useEffect,
  useId,
  useRef,
} from "react";

interface MenuProps {
  /** Names the button and the menu. */
  label: string;
  /** A tooltip, for buttons without text. */
  title?: string;
  /** The content of the button. */
  trigger: ReactNode;
  /** Classes of the button. */
  className: string;
  /** The edge of the button with which the menu is aligned. */
  align: "start" | "end";
  /** Additional classes of the menu. */
  popupClass?: string;
  children: ReactNode;
}

/** If less than this space is free below the button, in pixels, and more is free above it, the menu opens above. */
const roomyPx = 240;
const gapPx = 5;

const MenuContext = createContext<(act: () => void) => void>(() => undefined);

/**
 * A button and its menu. The browser shows the menu over everything else and closes it on Escape or a press elsewhere.
 * The menu stays in its place in the document, so that people who navigate by landmarks find it.
 */
export function Menu({ label, title, trigger, className, align, popupClass = "", children }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const popup = useRef<HTMLDivElement>(null);
  // What to focus when the menu opens: an item if opened by keyboard, the menu itself if opened by pointer.
  const opening = useRef<"first" | "last" | "menu">("menu");

  useEffect(() => {
    // Stay open if the scrolled element does not contain the button, such as a growing thread.
    const close = ({ target }: Event) => {
      if (target instanceof Node && !target.contains(button.current)) return;
      if (popup.current?.matches(":popover-open")) popup.current.hidePopover();
    };
    addEventListener("scroll", close, true);
    addEventListener("resize", close);
    return () => {
      removeEventListener("scroll", close, true);
      removeEventListener("resize", close);
    };
  }, []);

  const choose = (act: () => void) => {
    popup.current?.hidePopover();
    // A dialog restores the focus to this element.
    button.current?.focus();
    act();
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        popoverTarget={id}
        aria-haspopup="menu"
        aria-label={label}
        title={title}
        className={className}
        onClick={(event) => {
          opening.current = event.detail === 0 ? "first" : "menu";
        }}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          opening.current = event.key === "ArrowDown" ? "first" : "last";
          popup.current?.showPopover();
        }}
      >
        {trigger}
      </button>
      <div
        ref={popup}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        tabIndex={-1}
        className={`menu ${popupClass}`}
        onBeforeToggle={(event) => {
          const open = event.newState === "open";
          button.current?.setAttribute("aria-expanded", String(open));
          if (open && button.current) place(event.currentTarget, button.current, align);
        }}
        onToggle={(event) => {
          if (event.newState !== "open") return;
          const element = event.currentTarget;
          const items = itemsOf(element);
          const first = opening.current === "last" ? items.at(-1) : items[0];
          (opening.current === "menu" ? element : (first ?? element)).focus();
        }}
        onKeyDown={(event) => moveByKey(event)}
      >
        <MenuContext value={choose}>{children}</MenuContext>
      </div>
    </>
  );
}

/** Positions the menu by the edges of the button, because the menu's size is unknown before it is shown. */
function place(popup: HTMLElement, button: HTMLElement, align: "start" | "end"): void {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const isBelow = clientHeight - bottom >= Math.min(roomyPx, top);
  Object.assign(popup.style, {
    top: isBelow ? `${bottom + gapPx}px` : "auto",
    bottom: isBelow ? "auto" : `${clientHeight - top + gapPx}px`,
    left: align === "start" ? `${left}px` : "auto",
    right: align === "end" ? `${clientWidth - right}px` : "auto",
    maxHeight: `${(isBelow ? clientHeight - bottom : top) - 2 * gapPx}px`,
  });
}

function itemsOf(popup: HTMLElement): HTMLElement[] {
  return [...popup.querySelectorAll<HTMLElement>("[role^=menuitem]")].filter(
    (item) => item.offsetParent !== null,
  );
}

/**
 * Moves the focus: arrows wrap around, Home and End go to the ends, and a letter goes to the next item that begins with
 * the letter.
 */
function moveByKey(event: KeyboardEvent<HTMLElement>): void {
  const popup = event.currentTarget;
  const items = itemsOf(popup);
  const at = items.indexOf(document.activeElement as HTMLElement);
  const to = targetOf(event, items, at);
  if (event.key === "Tab") popup.hidePopover();
  if (!to) return;
  event.preventDefault();
  to.focus();
}

function targetOf(
  { key, ctrlKey, metaKey, altKey }: KeyboardEvent,
  items: readonly HTMLElement[],
  at: number,
): HTMLElement | undefined {
  if (key === "ArrowDown") return items[(at + 1) % items.length];
  if (key === "ArrowUp") return items.at(at <= 0 ? -1 : at - 1);
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  if (key.length !== 1 || key === " " || ctrlKey || metaKey || altKey) return undefined;
  const later = [...items.slice(at + 1), ...items.slice(0, at + 1)];
  return later.find((item) => item.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()));
}

const itemClass =
  "flex min-h-9 w-full cursor-default select-none items-center gap-2.5 rounded-lg px-2.5 text-start text-sm outline-none focus:bg-tint pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0";

interface MenuItemProps {
  /** Called after the menu has closed and its button has the focus. */
  onChoose: () => void;
  className?: string;
  children: ReactNode;
}

/** A menu item that runs an action. */
export function MenuItem({ onChoose, className = "", children }: MenuItemProps) {
  const choose = useContext(MenuContext);
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={`${itemClass} ${className}`}
      onPointerMove={(event) => event.currentTarget.focus({ preventScroll: true })}
      onClick={() => choose(onChoose)}
    >
      {children}
    </button>
  );
}

interface MenuChoiceProps {
  chosen: boolean;
  onChoose: () => void;
  children: ReactNode;
}

/** A menu item that is one of several choices. The menu stays open, so that the effect is visible. */
export function MenuChoice({ chosen, onChoose, children }: MenuChoiceProps) {
  return (
    <button
      type="button"
      role="menuitemradio"
      aria-checked={chosen}
      tabIndex={-1}
      className={`${itemClass} aria-checked:font-medium aria-checked:text-accent`}
      onPointerMove={(event) => event.currentTarget.focus({ preventScroll: true })}
      onClick={onChoose}
    >
      {children}
      {chosen && <span aria-hidden="true">✓</span>}
    </button>
  );
}
