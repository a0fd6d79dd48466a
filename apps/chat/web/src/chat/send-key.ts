/**
 * Whether a key press sends: Enter without Shift or Alt, but not the Enter that ends the composition of a character.
 * Safari ends the composition before this key press, so it can only be recognised by its key code 229.
 */
export function isSendKey(
  event: Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "isComposing" | "keyCode">,
): boolean {
  return (
    event.key === "Enter" && !event.shiftKey && !event.altKey && !event.isComposing && event.keyCode !== 229
  );
}
