/** Removes NUL and half surrogate pairs, which PostgreSQL cannot store. */
export function storable(text: string): string {
  return text.replaceAll("\u0000", "").replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** Characters that change the direction of text, even after the end of a title in a list. */
const DIRECTION = /[\u202A-\u202E\u2066-\u2069]/g;

/** Cleans a text for one line of a list, such as a title or a name. */
export function oneLine(text: string): string {
  return storable(text).replace(DIRECTION, "").replace(/\s+/g, " ").trim();
}
