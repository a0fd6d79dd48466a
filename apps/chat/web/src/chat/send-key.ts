/**
 * Whether this key press sends: Enter alone, and not the one that ends the composing of a character. Safari ends the
 * composition before that key press, which then only its code 229 gives away.
 */
export function isSendKey(
  event: Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "isComposing" | "keyCode">,
): boolean {
  return (
    event.key === "Enter" && !event.shiftKey && !event.altKey && !event.isComposing && event.keyCode !== 229
  );
}
