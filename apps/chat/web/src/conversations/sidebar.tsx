import { Dialog } from "@base-ui/react/dialog";
import { SquarePen, X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { AccountMenu } from "../account/account-menu.tsx";
import { buttonClass, iconButtonClass } from "../design/button.tsx";
import { drawerOpen } from "../design/drawer-state.ts";
import { Mark } from "../design/mark.tsx";
import { useMedia, wide } from "../design/media.ts";
import { useObservable } from "../design/observable.ts";
import { PortalContainer } from "../design/portal-container.ts";
import { Link } from "../router.tsx";
import { ConversationNav } from "./conversation-nav.tsx";

/** Beside the thread where there is room for both. */
export function Sidebar() {
  const frame = useRef<HTMLElement>(null);
  if (!useMedia(wide)) return null;
  return (
    <aside
      ref={frame}
      aria-label="Sidebar"
      className="flex w-68 shrink-0 flex-col border-line border-e bg-sunken"
    >
      <PortalContainer value={frame}>
        <SidebarContent />
      </PortalContainer>
    </aside>
  );
}

/** Over the thread, on phones. */
export function SidebarDrawer() {
  const opened = useObservable(drawerOpen);
  // A phone that is turned may have room for both.
  const open = !useMedia(wide) && opened;
  const frame = useRef<HTMLDivElement>(null);
  return (
    <Dialog.Root open={open} onOpenChange={(next) => drawerOpen.set(next)}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop z-30 md:hidden" />
        <Dialog.Popup
          ref={frame}
          aria-label="Sidebar"
          className="fixed inset-y-0 start-0 z-40 flex h-dvh w-[min(20rem,86vw)] flex-col bg-sunken pt-[env(safe-area-inset-top)] shadow-float outline-none transition-transform duration-200 ease-out data-ending-style:-translate-x-full data-starting-style:-translate-x-full md:hidden"
        >
          <PortalContainer value={frame}>
            <SidebarContent
              close={
                <Dialog.Close aria-label="Close the sidebar" title="Close" className={iconButtonClass}>
                  <X aria-hidden="true" />
                </Dialog.Close>
              }
            />
          </PortalContainer>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
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
      <div className="px-3 pt-1 pb-1">
        <Link
          href="/"
          onClick={() => drawerOpen.set(false)}
          className={`${buttonClass("outline")} w-full justify-start!`}
        >
          <SquarePen aria-hidden="true" className="size-4" />
          New chat
        </Link>
      </div>
      <ConversationNav />
      <div className="border-line border-t p-2 pb-[max(0.5rem,env(safe-area-inset-bottom))]">
        <AccountMenu />
      </div>
    </>
  );
}
