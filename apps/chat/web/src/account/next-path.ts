/**
 * Returns the path to open after signing in, from `?next=`. Accepts only paths of this site, so that a crafted link
 * cannot lead to another site.
 */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get("next");
  if (next === null || !/^\/(?![/\\])[\w./~%-]*$/.test(next)) return "/";
  return next;
}

/** Returns the path of the page to sign in or up, with a way back to the current page. */
export function signInPath(page: "/sign-in" | "/sign-up"): string {
  const { pathname, search } = location;
  // Keep the way back when the user switches between the two pages.
  if (pathname === "/sign-in" || pathname === "/sign-up") return `${page}${search}`;
  return pathname === "/" ? page : `${page}?next=${encodeURIComponent(pathname)}`;
}
