/**
 * Keys for callers without a usable key. They never collide with a caller's key: if that begins with NUL, `ownKey`
 * doubles the NUL.
 */
export const unidentified = "\u0000unidentified";
/** Shared by all callers whose key is too long. */
export const overlong = "\u0000overlong";

/** A caller's key as it is counted. */
export function ownKey(key: string): string {
  return key.charCodeAt(0) === 0 ? `\u0000${key}` : key;
}

/** Whether this key is shared by callers without a usable key. */
export function isSharedKey(key: string): boolean {
  return key === unidentified || key === overlong;
}
