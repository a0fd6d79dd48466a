/** How many tokens and bytes a text has. A byte-level tokenizer never makes more tokens than bytes. */
export interface TextSize {
  /** Not rounded, so that sizes can be added. */
  readonly tokens: number;
  readonly bytes: number;
}

/**
 * A kind of ASCII characters. Apart from a leading space or capital letter, a token rarely spans two runs of different
 * kinds.
 */
interface Kind {
  readonly characters: RegExp;
  /** Tokens of the first character of a run. */
  readonly first: number;
  /** Tokens of each further character. */
  readonly next: number;
}

/** Fitted to two vocabularies, and rounded up: see docs/estimating-tokens.md. */
const kinds: readonly Kind[] = [
  { characters: /[a-z]/, first: 1, next: 0.03 },
  { characters: /[A-Z]/, first: 1, next: 0.7 },
  { characters: /[0-9]/, first: 1, next: 0.65 },
  // A single space belongs to the following word.
  { characters: / /, first: 0, next: 0.2 },
  // All other punctuation and control characters.
  { characters: /./s, first: 1, next: 0.6 },
];
const lower = 0;
const upper = 1;
/** Not ASCII. */
const other = -1;

/** A word of up to this many letters is usually one token. Each further letter adds part of a token. */
const shortWord = 7;
const longWordLetter = 0.55;

/** Tokens for each UTF-16 unit beyond ASCII, from the first unit of a range on. Ranges begin at multiples of 16. */
const scripts: readonly (readonly [from: number, tokens: number])[] = [
  [0x0080, 0.9], // Latin with accents, phonetic letters
  [0x0370, 0.9], // Greek
  [0x0400, 0.6], // Cyrillic
  [0x0530, 1.2], // Armenian
  [0x0590, 0.9], // Hebrew
  [0x0600, 0.95], // Arabic
  [0x0700, 1.4], // scripts of South and South-East Asia, Georgian, Ethiopic
  [0x1e00, 1], // Latin with more accents
  [0x2000, 1.2], // punctuation, arrows, symbols
  [0x2e80, 1.25], // Chinese, Japanese
  [0xac00, 1.5], // Korean
  [0xd800, 1.6], // halves of characters beyond the first plane: emoji, rare ideographs
  [0xe000, 2],
];

const kindOf = Int8Array.from({ length: 128 }, (_, unit) =>
  kinds.findIndex(({ characters }) => characters.test(String.fromCharCode(unit))),
);
/** A table with an entry per sixteen units. Searching the ranges would take thirty times as long for each character. */
const scriptTokens = Float64Array.from({ length: 0x1000 }, (_, block) => {
  const range = scripts.findLast(([from]) => from <= block << 4);
  return range === undefined ? 0 : range[1];
});
const firstTokens = Float64Array.from(kinds, ({ first }) => first);
const nextTokens = Float64Array.from(kinds, ({ next }) => next);

/**
 * Estimates the tokens of a text from the kinds of its characters, and tends to overestimate. Visits each character
 * once.
 */
export function sizeOf(text: string): TextSize {
  let tokens = 0;
  let bytes = 0;
  let previous = other;
  let run = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) {
      tokens += scriptTokens[unit >> 4] as number;
      bytes += bytesBeyondAscii(unit);
      previous = other;
      continue;
    }
    bytes += 1;
    const kind = kindOf[unit] as number;
    // A capital letter and the letters after it are one word.
    if (kind === previous || (kind === lower && previous === upper && run === 1)) {
      run += 1;
      tokens += kind === lower && run > shortWord ? longWordLetter : (nextTokens[kind] as number);
    } else {
      run = 1;
      tokens += firstTokens[kind] as number;
    }
    previous = kind;
  }
  return { tokens: Math.min(tokens, bytes), bytes };
}

/** UTF-8 bytes of a UTF-16 unit. A surrogate is half of a four-byte character. */
function bytesBeyondAscii(unit: number): number {
  if (unit < 0x800) return 2;
  return unit >= 0xd800 && unit < 0xe000 ? 2 : 3;
}
