/**
 * Where to go after signing in, from `?next=`. Only a path of this page: a link that somebody else made must not lead
 * elsewhere.
 */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get("next");
  if (next === null || !/^\/(?![/\\])[\w./~%-]*$/.test(next)) return "/";
  return next;
}

/** Where to sign in or up, and come back from to the page that is open now. */
export function signInPath(page: "/sign-in" | "/sign-up"): string {
  const { pathname, search } = location;
  // From one of the two to the other, the way back stays the same.
  if (pathname === "/sign-in" || pathname === "/sign-up") return `${page}${search}`;
  return pathname === "/" ? page : `${page}?next=${encodeURIComponent(pathname)}`;
}
