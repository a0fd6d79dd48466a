import { SquarePen, X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { AccountMenu } from "../account/account-menu.tsx";
import { buttonClass, iconButtonClass } from "../design/button.tsx";
import { useDialog } from "../design/dialog.ts";
import { drawerOpen } from "../design/drawer-state.ts";
import { Mark } from "../design/mark.tsx";
import { useMedia, wide } from "../design/media.ts";
import { useObservable } from "../design/observable.ts";
import { Link } from "../router.tsx";
import { ConversationNav } from "./conversation-nav.tsx";
import { SearchField } from "./search-field.tsx";

/** The sidebar next to the thread, on wide screens. */
export function Sidebar() {
  if (!useMedia(wide)) return null;
  return (
    <aside
      aria-label="Sidebar"
      className="unprinted flex w-68 shrink-0 flex-col border-line border-e bg-sunken"
    >
      <SidebarContent />
    </aside>
  );
}

/** The sidebar over the thread, on phones. */
export function SidebarDrawer() {
  const opened = useObservable(drawerOpen);
  const isWide = useMedia(wide);
  const frame = useRef<HTMLDialogElement>(null);
  const close = () => drawerOpen.set(false);
  const dialog = useDialog(frame, {
    // A rotated phone may be wide enough for both.
    open: !isWide && opened,
    onClose: close,
    closesOutside: true,
  });
  if (isWide) return null;
  return (
    <dialog {...dialog} ref={frame} aria-label="Sidebar" className="drawer">
      <div className="flex h-full flex-col pt-[env(safe-area-inset-top)]">
        <SidebarContent
          close={
            <button
              type="button"
              aria-label="Close the sidebar"
              title="Close"
              className={iconButtonClass}
              onClick={close}
            >
              <X aria-hidden="true" />
            </button>
          }
        />
      </div>
    </dialog>
  );
}

function SidebarContent({ close }: { close?: ReactNode }) {
  return (
    <>
      <div className="flex min-h-14 items-center justify-between ps-4 pe-2">
        <Link
          href="/"
          className="flex items-center gap-2.5 rounded-lg font-semibold tracking-tight"
          onClick={() => drawerOpen.set(false)}
        >
          <Mark className="size-7" />
          Headgate
        </Link>
        {close}
      </div>
      <div className="space-y-1 px-3 pt-1 pb-1">
        <Link
          href="/"
          onClick={() => drawerOpen.set(false)}
          className={`${buttonClass("outline")} w-full justify-start!`}
        >
          <SquarePen aria-hidden="true" className="size-4" />
          New chat
        </Link>
        <SearchField />
      </div>
      <ConversationNav />
      <div className="border-line border-t p-2 pb-[max(0.5rem,env(safe-area-inset-bottom))]">
        <AccountMenu />
      </div>
    </>
  );
}
