/** A question while rules read it. Each rule takes the words that it explains. Other words are leftovers. */
import type { Amount, Token } from "./tokens.ts";

/** The first of a row of private characters: one stands for the amount of the token at the same place. */
const firstMark = 0xe000;
const mostTokens = 0x1000;

/**
 * A rule's pattern over words with one space between them. `M` is money, `P` a percentage, `N` a bare number, `A` money or
 * a bare number, `S` any of the three; `.` as in any pattern. It matches whole words only.
 */
export function phrase(source: string): RegExp {
  const classes: Record<string, string> = {
    M: "[\ue000-\uefff]",
    P: "[\uf000-\uf4ff]",
    N: "[\uf500-\uf8ff]",
    A: "[\ue000-\uefff\uf500-\uf8ff]",
    S: "[\ue000-\uf8ff]",
  };
  const body = source.replace(/(?<!\\)[MPNAS](?![a-z])/g, (letter) => classes[letter] ?? letter);
  return new RegExp(`(?<!\\S)(?:${body})(?!\\S)`, "gu");
}

const markOf = { money: firstMark, percent: 0xf000, number: 0xf500 } as const;

export interface Match {
  /** The amounts that the match covers, in reading order. */
  amounts: Amount[];
  groups: Record<string, string | undefined>;
  text: string;
  /** The nearest amounts around the match that no rule has taken. */
  before: Amount | undefined;
  after: Amount | undefined;
  /** The words of its sentence, and whether it only tells a story while another sentence asks. */
  sentence: string;
  isAside: boolean;
}

export interface Leftover {
  text: string;
  tokens: Token[];
  /** The word of noise before it. */
  before: string;
  isAside: boolean;
  /** Whether its sentence has a sum of money. */
  hasMoney: boolean;
}

/** A sentence that asks. */
const asking =
  /\b(?:how|what|which|why|tell me|calculate|work out)\b|^(?:(?:and|so|but|or|,) )*(?:is|are|am|do|does|did|will|would|can|could|should|when|where|who)\b|\?/;

/** Uses a match. If it returns `false`, the words are not taken. */
export type Use = (match: Match) => boolean | undefined;

export class Reading {
  readonly tokens: readonly Token[];
  constructor(tokens: readonly Token[]) {
    // The marks of percentages and bare numbers are a quarter as many: longer texts are cut before.
    this.tokens = tokens.slice(0, Math.min(mostTokens, 1000));
  }

  /** The words, whether taken or not. */
  get text(): string {
    return this.tokens.map(({ word }) => word).join(" ");
  }

  private laid: { shape: string; at: number[] } | undefined;

  private lay(): { shape: string; at: number[] } {
    if (this.laid) return this.laid;
    let shape = "";
    const at: number[] = [];
    this.tokens.forEach((token, index) => {
      if (token.taken === "absorbed") return;
      const mark = token.amount && String.fromCharCode(markOf[token.amount.kind] + index);
      const word = token.taken ? "·" : (mark ?? token.word);
      if (shape !== "") {
        shape += " ";
        at.push(-1);
      }
      shape += word;
      for (let i = 0; i < word.length; i++) at.push(index);
    });
    this.laid = { shape, at };
    return this.laid;
  }

  /**
   * Takes every match of a pattern.
   * @param use gets a match; on `false` its words stay
   * @param how `"absorb"` joins the words on both sides of the taken words, and leaves amounts where they are
   */
  take(pattern: RegExp, use: Use = () => {}, how?: "absorb"): boolean {
    const { shape, at } = this.lay();
    let found = false;
    for (const match of shape.matchAll(pattern)) {
      const indexes = [...new Set(at.slice(match.index, match.index + match[0].length))].filter(
        (i) => i >= 0,
      );
      const tokens = indexes.flatMap((index) => this.tokens[index] ?? []).filter(({ taken }) => !taken);
      const amounts = tokens.flatMap(({ amount }) => amount ?? []);
      const before = this.amountsLeft(0, indexes[0] ?? 0).at(-1);
      const after = this.amountsLeft((indexes.at(-1) ?? 0) + 1)[0];
      const { sentence, isAside } = this.sentenceAt(indexes[0] ?? 0);
      const groups = match.groups ?? {};
      if (use({ amounts, groups, text: match[0], before, after, sentence, isAside }) === false) continue;
      found = true;
      this.laid = undefined;
      for (const token of tokens) {
        if (how !== "absorb") token.taken = true;
        else if (!token.amount) token.taken = "absorbed";
      }
    }
    return found;
  }

  /** Finds matches without taking them. */
  look(pattern: RegExp, see: (match: Match) => void): void {
    this.take(pattern, (match) => {
      see(match);
      return false;
    });
  }

  private amountsLeft(from = 0, to = this.tokens.length): Amount[] {
    return this.tokens.slice(from, to).flatMap(({ amount, taken }) => (amount && !taken ? amount : []));
  }

  /** The sums of money that no rule has taken yet, in reading order. */
  get money(): Amount[] {
    return this.amountsLeft().filter(({ kind }) => kind === "money");
  }

  get percentages(): Amount[] {
    return this.amountsLeft().filter(({ kind }) => kind === "percent");
  }

  /** After an amount's kind was changed. */
  changed(): void {
    this.laid = undefined;
  }

  /**
   * "£45k car", "won 20k", "my house is worth 300k": a word next to an amount that no rule knows.
   * @param isUnknown words to look for
   */
  nextTo(amount: Amount, isUnknown: (word: string) => boolean): string | undefined {
    const at = this.tokens.findIndex((token) => token.amount === amount);
    const nearest = (tokens: readonly Token[], joins: RegExp) => {
      const near = tokens.find(({ word, taken }) => taken === true || !joins.test(word));
      const isNoun =
        near && !near.taken && !near.amount && /^\p{L}{3,}/u.test(near.word) && isUnknown(near.word);
      return isNoun ? near.word : undefined;
    };
    return (
      nearest(this.tokens.slice(at + 1), /^(?:in|from|worth|of|on|as|a|an|the|my)$/) ??
      // "intern 1,400 a month": the period says that it is pay.
      (amount.period === undefined
        ? nearest(
            this.tokens.slice(0, at).reverse(),
            /^(?:is|are|was|were|for|of|me|a|an|the|my|it|with|by|to|costs?|worth)$/,
          )
        : undefined)
    );
  }

  wordBefore(amount: Amount): string {
    return this.tokens[this.tokens.findIndex((token) => token.amount === amount) - 1]?.word ?? "";
  }

  takeAmount(amount: Amount): void {
    for (const token of this.tokens) if (token.amount === amount) token.taken = true;
    this.laid = undefined;
  }

  /** Runs of words and amounts that no rule explained, as the person wrote them. @param isNoise words to pass over */
  leftovers(isNoise: (word: string) => boolean): Leftover[] {
    const runs: Leftover[] = [];
    let run: Token[] = [];
    let start = 0;
    const close = () => {
      const first = run.findIndex((token) => !isNoise(token.word) || token.amount);
      const last = run.findLastIndex((token) => !isNoise(token.word) || token.amount);
      const tokens = run.slice(first, last + 1);
      const before = run[first - 1]?.word ?? "";
      const { isAside, hasMoney } = this.sentenceAt(start);
      const text = tokens.map((token) => token.text).join(" ");
      if (first >= 0) runs.push({ text, tokens, before, isAside, hasMoney });
      run = [];
    };
    for (const [at, token] of this.tokens.entries()) {
      const isMark = !token.amount && !/[\p{L}\p{N}]/u.test(token.word);
      if (token.taken || isMark) close();
      else {
        if (run.length === 0) start = at;
        run.push(token);
      }
    }
    close();
    return runs;
  }

  private told: { from: number; sentence: string; isAside: boolean; hasMoney: boolean }[] | undefined;

  private get sentences() {
    if (this.told) return this.told;
    const ends = this.tokens.flatMap(({ word }, at) => (/^[.?!]$/.test(word) ? [at + 1] : []));
    const told = [0, ...ends].map((from, index) => {
      const tokens = this.tokens.slice(from, ends[index]);
      const sentence = tokens.map(({ word }) => word).join(" ");
      const hasMoney = tokens.some(({ amount }) => amount?.kind === "money");
      return { from, sentence, isAside: !asking.test(sentence), hasMoney };
    });
    const isAsked = told.some(({ isAside }) => !isAside);
    this.told = told.map((one) => ({ ...one, isAside: one.isAside && isAsked }));
    return this.told;
  }

  private sentenceAt(at: number) {
    const found = this.sentences.findLast(({ from }) => from <= at);
    return found ?? { from: 0, sentence: "", isAside: false, hasMoney: false };
  }
}
