import { useEffect } from "react";
import { AccountPage } from "./account/account-page.tsx";
import { AuthPage } from "./account/auth-page.tsx";
import { beginAsCaller } from "./account/begin.ts";
import { PasswordPage } from "./account/password-page.tsx";
import { Paywall } from "./account/paywall.tsx";
import { ChatPage } from "./chat/chat-page.tsx";
import { composerFocus } from "./chat/composer-focus.ts";
import { SharePage } from "./chat/share-page.tsx";
import { ConversationDialogs } from "./conversations/conversation-dialogs.tsx";
import { ConversationHeader } from "./conversations/conversation-header.tsx";
import { conversationList } from "./conversations/list.ts";
import { Sidebar, SidebarDrawer } from "./conversations/sidebar.tsx";
import { Announcer } from "./design/announcer.tsx";
import { Button, buttonClass } from "./design/button.tsx";
import { ErrorBoundary } from "./design/error-boundary.tsx";
import { useObservable } from "./design/observable.ts";
import { ShortcutsDialog, shortcutsOpen } from "./design/shortcuts-dialog.tsx";
import { Link, navigate, type Route, useRoute } from "./router.tsx";

export function App() {
  const route = useRoute();
  usePageTitle(route);
  useShortcuts();
  return (
    <>
      <a
        href="#main"
        className="fixed top-2 left-2 z-[70] -translate-y-20 rounded-lg bg-accent px-4 py-2 font-medium text-on-accent focus:translate-y-0"
      >
        Skip to the conversation
      </a>
      <Announcer />
      {route.page === "shared" ? <SharePage token={route.token} /> : <Shell route={route} />}
      <ShortcutsDialog />
    </>
  );
}

function Shell({ route }: { route: Exclude<Route, { page: "shared" }> }) {
  useEffect(beginAsCaller, []);
  return (
    <div className="printed flex h-dvh">
      <Sidebar />
      <SidebarDrawer />
      <main id="main" tabIndex={-1} className="printed flex min-w-0 grow flex-col outline-none">
        <ErrorBoundary fallback={<Broken />}>
          <Page route={route} />
        </ErrorBoundary>
      </main>
      <ConversationDialogs />
      <Paywall />
    </div>
  );
}

function Page({ route }: { route: Exclude<Route, { page: "shared" }> }) {
  switch (route.page) {
    case "new":
    case "conversation":
      return <ChatPage id={route.page === "new" ? null : route.id} />;
    case "sign-in":
    case "sign-up":
      return (
        <>
          <ConversationHeader id={null} />
          <AuthPage key={route.page} page={route.page} />
        </>
      );
    case "account":
      return (
        <>
          <ConversationHeader id={null} />
          <AccountPage />
        </>
      );
    case "forgot-password":
    case "reset-password":
      return (
        <>
          <ConversationHeader id={null} />
          <PasswordPage key={route.page} page={route.page} />
        </>
      );
    case "unknown":
      return (
        <>
          <ConversationHeader id={null} />
          <div className="grid grow place-items-center px-6 text-center">
            <div>
              <h1 className="font-semibold text-xl">Page not found</h1>
              <p className="mt-1 mb-6 break-all text-quiet">{route.path}</p>
              <Link href="/" className={buttonClass("solid")}>
                Start a new chat
              </Link>
            </div>
          </div>
        </>
      );
  }
}

/**
 * The message shown if a part of the page could not be loaded or rendered. Drafts and conversations survive the reload.
 */
function Broken() {
  return (
    <div className="grid grow place-items-center px-6 text-center">
      <div role="alert">
        <h1 className="font-semibold text-xl">Please reload this page.</h1>
        <p className="mt-1 mb-6 text-quiet">There may be a new version. Your draft is saved.</p>
        <Button look="solid" onClick={() => location.reload()}>
          Reload
        </Button>
      </div>
    </div>
  );
}

function usePageTitle(route: Route): void {
  const { conversations } = useObservable(conversationList);
  const title =
    route.page === "conversation"
      ? conversations.find(({ id }) => id === route.id)?.title
      : {
          "sign-in": "Sign in",
          "sign-up": "Create an account",
          account: "Your account",
          "forgot-password": "Forgotten password",
          "reset-password": "New password",
          new: undefined,
          unknown: "No such page",
          shared: undefined,
        }[route.page];
  // biome-ignore lint/correctness/useExhaustiveDependencies: a shared page changes the title, so leaving it must reset the title
  useEffect(() => {
    document.title = title === undefined ? "Headgate" : `${title} · Headgate`;
  }, [title, route.page]);
}

/** Adds the shortcuts. All have a modifier, because single letters interfere with speech input. */
function useShortcuts(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const command = event.metaKey || event.ctrlKey;
      if (command && event.shiftKey && event.key.toLowerCase() === "o") {
        event.preventDefault();
        navigate("/");
        composerFocus.get()?.();
      } else if (command && event.key === "/") {
        event.preventDefault();
        shortcutsOpen.set((open) => !open);
      } else if (event.shiftKey && event.key === "Escape") {
        composerFocus.get()?.();
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
