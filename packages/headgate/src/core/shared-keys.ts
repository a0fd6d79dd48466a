/**
 * The keys of callers who have none of their own. No caller's key is one of them: where a key begins with NUL, `ownKey`
 * doubles it.
 */
export const unidentified = "\u0000unidentified";
/** All callers whose key is too long to be kept share it. */
export const overlong = "\u0000overlong";

/** A caller's key as it is counted. */
export function ownKey(key: string): string {
  return key.charCodeAt(0) === 0 ? `\u0000${key}` : key;
}

/** Whether several callers share this key for want of one of their own. */
export function isSharedKey(key: string): boolean {
  return key === unidentified || key === overlong;
}
