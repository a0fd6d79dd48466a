/** Corrects a word if it differs from exactly one word of the rules by one typing error. */
import { noiseWords, tellingWords } from "./noise.ts";
import type { Token } from "./tokens.ts";

const shortest = 4;

/** The words in the patterns. */
export function wordsOf(sources: readonly string[]): Set<string> {
  const words = new Set<string>();
  for (const source of sources) {
    // "freelanc(?:e|er|ing)" has three words. Its stem is not a word.
    for (const [, stem, ends = ""] of source.matchAll(/([a-z]+)\(\?:([a-z|]+)\)/g))
      for (const end of ends.split("|")) words.add(`${stem}${end}`);
    const literal = source.replace(/\(\?<?[^()|]*?[>:=!]/g, " ").replace(/\(\?|\\./g, " ");
    // "bonus(?:es)?" and "enrol(?:l?ment|led)" leave their stems, which are words too.
    for (const [word] of literal.matchAll(/[a-z]+\??/g)) {
      const whole = word.replace("?", "");
      if (word.endsWith("?")) words.add(whole.slice(0, -1));
      words.add(whole);
    }
  }
  for (const word of [...noiseWords, ...tellingWords]) words.add(word);
  return words;
}

const vowels = /^[aeiou]$/;

/** A letter too many, one too few, two swapped, or one wrong: a vowel for a vowel, or any letter of a long word. */
export function isSlip(wrong: string, right: string): boolean {
  if (wrong[0] !== right[0] || Math.abs(wrong.length - right.length) > 1) return false;
  let at = 0;
  while (at < wrong.length && wrong[at] === right[at]) at++;
  const rest = (text: string, from: number) => text.slice(from);
  if (wrong.length > right.length) return rest(wrong, at + 1) === rest(right, at);
  if (wrong.length < right.length) return rest(wrong, at) === rest(right, at + 1);
  if (
    rest(wrong, at + 2) === rest(right, at + 2) &&
    wrong[at] === right[at + 1] &&
    wrong[at + 1] === right[at]
  )
    return true;
  if (rest(wrong, at + 1) !== rest(right, at + 1)) return false;
  return (
    wrong.length >= 7 || (wrong.length >= 6 && vowels.test(wrong[at] ?? "") && vowels.test(right[at] ?? ""))
  );
}

/** @returns the corrections, for the answer */
export function putRight(tokens: Token[], known: ReadonlySet<string>): { from: string; to: string }[] {
  const corrections: { from: string; to: string }[] = [];
  for (const token of tokens) {
    if (
      token.amount ||
      !/^\p{L}+$/u.test(token.word) ||
      token.word.length < shortest ||
      known.has(token.word)
    )
      continue;
    const found = [...known].filter((word) => word.length >= shortest && isSlip(token.word, word));
    const [right] = found;
    if (right === undefined || found.length > 1) continue;
    corrections.push({ from: token.text, to: right });
    token.word = right;
  }
  return corrections;
}
