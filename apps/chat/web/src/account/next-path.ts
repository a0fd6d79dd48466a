/**
 * Where to go after signing in, from `?next=`. Only a path of this page: a link that somebody else made must not lead
 * elsewhere.
 */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get("next");
  if (next === null || !/^\/(?![/\\])[\w./~%-]*$/.test(next)) return "/";
  return next;
}
