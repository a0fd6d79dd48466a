/** Hands out what it recognises and blanks it, so that no number is read twice. */
export class Reader {
  text: string;
  constructor(text: string) {
    this.text = text;
  }

  /** @param accept gets a match and its named groups; on `false` the match stays in the text */
  take(
    pattern: RegExp,
    accept: (match: string, groups: Record<string, string | undefined>) => boolean,
  ): void {
    let text = this.text;
    for (const match of this.text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if (!accept(match[0], match.groups ?? {})) continue;
      text = text.slice(0, match.index) + " ".repeat(match[0].length) + text.slice(end);
    }
    this.text = text;
  }
}
