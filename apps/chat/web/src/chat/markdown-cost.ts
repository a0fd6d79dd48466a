/**
 * Markdown characters that come in pairs, with the maximum number of each. At each such character, parsers search
 * backwards for its partner, so ten thousand of them take seconds and freeze the page. No readable answer has that
 * many.
 */
const MOST: [sign: RegExp, most: number][] = [
  [/\[/g, 800],
  [/[*_~]/g, 4_000],
  [/\|/g, 4_000],
  [/^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*){20}/gm, 0],
];

/** The maximum number of columns of a table. */
const MOST_CELLS = 100;

/** Whether rendering this Markdown could freeze the page. Such Markdown is shown as plain text. */
export function isTooCostly(markdown: string): boolean {
  // The contents of fenced blocks do not count.
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, "");
  if (MOST.some(([sign, most]) => count(prose, sign) > most)) return true;
  return prose.split("\n").some((line) => count(line, /\|/g) > MOST_CELLS);
}

function count(text: string, sign: RegExp): number {
  let found = 0;
  for (const _ of text.matchAll(sign)) found += 1;
  return found;
}
