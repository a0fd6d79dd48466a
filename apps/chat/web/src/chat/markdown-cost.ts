/**
 * Signs that Markdown pairs up with each other, and how many of each a text may have. Parsers look back for a partner at each
 * of them, so that ten thousand take seconds and stop the whole page; no answer that somebody reads has as many.
 */
const MOST: [sign: RegExp, most: number][] = [
  [/\[/g, 800],
  [/[*_~]/g, 4_000],
  [/\|/g, 4_000],
  [/^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*){20}/gm, 0],
];

/** The widest line of a table that is drawn as one. */
const MOST_CELLS = 100;

/** Whether drawing this Markdown could stop the page: it is then shown as the text that it is. */
export function isTooCostly(markdown: string): boolean {
  // What is in a fenced block is not looked at for signs.
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, "");
  if (MOST.some(([sign, most]) => count(prose, sign) > most)) return true;
  return prose.split("\n").some((line) => count(line, /\|/g) > MOST_CELLS);
}

function count(text: string, sign: RegExp): number {
  let found = 0;
  for (const _ of text.matchAll(sign)) found += 1;
  return found;
}
