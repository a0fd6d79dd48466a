import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { observable, useObservable } from "./design/observable.ts";

export type Route =
  | { page: "new" }
  | { page: "conversation"; id: string }
  | { page: "shared"; token: string }
  | { page: "sign-in" }
  | { page: "sign-up" }
  | { page: "account" }
  | { page: "forgot-password" }
  | { page: "reset-password" }
  | { page: "unknown"; path: string };

/** Returns the page of a path. */
export function routeOf(path: string): Route {
  const segments = path.split("/").filter(Boolean);
  const [first, second] = segments;
  if (first === undefined) return { page: "new" };
  if (segments.length === 1 && isAccountPage(first)) return { page: first };
  if (segments.length === 2 && second !== undefined) {
    const decoded = decode(second);
    if (first === "c" && decoded !== null) return { page: "conversation", id: decoded };
    if (first === "share" && decoded !== null) return { page: "shared", token: decoded };
  }
  return { page: "unknown", path };
}

const accountPages = ["sign-in", "sign-up", "account", "forgot-password", "reset-password"] as const;

function isAccountPage(segment: string): segment is (typeof accountPages)[number] {
  return (accountPages as readonly string[]).includes(segment);
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

export const conversationPath = (id: string): string => `/c/${encodeURIComponent(id)}`;

export const currentPath = observable(location.pathname);

addEventListener("popstate", () => currentPath.set(location.pathname));

/** Shows the page at this path, without a reload. */
export function navigate(path: string, options: { replace?: boolean } = {}): void {
  // If this is not a page of the app, the server may have the page, such as the operator console.
  if (routeOf(new URL(path, location.origin).pathname).page === "unknown") {
    location.assign(path);
    return;
  }
  if (options.replace) history.replaceState(null, "", path);
  else if (path !== location.pathname + location.search) history.pushState(null, "", path);
  currentPath.set(location.pathname);
}

export function useRoute(): Route {
  return routeOf(useObservable(currentPath));
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  href: string;
}

/** A link to a page of the app. With a modifier key, it opens a tab, like any link. */
export function Link({ href, onClick, ...props }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={follow} {...props} />;
}
