/** PostgreSQL stores neither NUL nor half a surrogate pair. */
export function storable(text: string): string {
  return text.replaceAll("\u0000", "").replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** Marks that turn the direction of what follows them, beyond the text's end: in a list they turn what is beside it. */
const DIRECTION = /[\u202A-\u202E\u2066-\u2069]/g;

/** A text for one line of a list: a title or a name. */
export function oneLine(text: string): string {
  return storable(text).replace(DIRECTION, "").replace(/\s+/g, " ").trim();
}
