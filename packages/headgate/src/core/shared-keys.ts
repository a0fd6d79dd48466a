/**
 * The key of all callers that could not be identified. It never equals a caller's key: if a caller's key begins with
 * NUL, `ownKey` doubles the NUL.
 */
export const unidentified = "\u0000unidentified";
/** The key of all callers whose key is too long. */
export const overlong = "\u0000overlong";

/** Returns a caller's key as it is counted. */
export function ownKey(key: string): string {
  return key.charCodeAt(0) === 0 ? `\u0000${key}` : key;
}

/** Whether this key is shared by callers without a usable key. */
export function isSharedKey(key: string): boolean {
  return key === unidentified || key === overlong;
}
