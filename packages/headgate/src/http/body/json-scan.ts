/** How large a JSON text may be. Each bound is a whole number, 1 or more. */
export interface JsonBounds {
  /** Bytes of the whole text. Default 1,048,576 (1 MiB). */
  bytes: number;
  /** Arrays and objects inside each other. Default 32. */
  depth: number;
  /** Values and property names together: what a parser makes and a validator visits. Default 50,000. */
  nodes: number;
  /** Characters (UTF-16 code units, as in `text.length`) of one string or property name, or of one number. Default 262,144. */
  stringLength: number;
}

/** What was seen of a JSON text so far. */
export interface JsonExtent extends JsonBounds {}

export interface JsonScan {
  /**
   * Counts the next bytes. Their order in the text is all that matters: a chunk may end anywhere, also within a character.
   *
   * @returns the first bound that they exceed; nothing after that byte is looked at
   */
  push(chunk: Uint8Array): keyof JsonBounds | undefined;
  /** The largest of each so far. */
  readonly extent: Readonly<JsonExtent>;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SMALL_U = 0x75;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;

/** The four hexadecimal digits after `\u`. */
const HEX_DIGITS = 4;

/**
 * Measures a JSON text byte by byte, in one pass and without making anything of it: no value, no text, no recursion.
 * It does not check that the text is JSON. Of a text that is, it sees exactly what a parser would make; of one that is
 * not, it stops at the same bounds.
 */
export function scanJson(bounds: JsonBounds): JsonScan {
  const extent: JsonExtent = { bytes: 0, depth: 0, nodes: 0, stringLength: 0 };
  let depth = 0;
  /** Of the string or scalar that is being read. */
  let length = 0;
  let isInString = false;
  let isInScalar = false;
  let isEscaped = false;
  let hexDigitsLeft = 0;

  /** One byte of a string, after its opening quote. @returns how much longer it makes the string */
  function inString(byte: number): number {
    if (hexDigitsLeft > 0) {
      hexDigitsLeft -= 1;
      return 0;
    }
    if (isEscaped) {
      isEscaped = false;
      if (byte === SMALL_U) hexDigitsLeft = HEX_DIGITS;
      return 1;
    }
    if (byte === BACKSLASH) {
      isEscaped = true;
      return 0;
    }
    if (byte === QUOTE) {
      isInString = false;
      return 0;
    }
    return codeUnits(byte);
  }

  /** One byte outside strings. @returns how much longer it makes a number or word */
  function outside(byte: number): number {
    switch (byte) {
      case QUOTE:
        isInString = true;
        isInScalar = false;
        begin();
        return 0;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        isInScalar = false;
        depth += 1;
        if (depth > extent.depth) extent.depth = depth;
        begin();
        return 0;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        isInScalar = false;
        depth -= 1;
        return 0;
      case COMMA:
      case COLON:
        isInScalar = false;
        return 0;
    }
    if (byte <= SPACE) {
      isInScalar = false;
      return 0;
    }
    if (!isInScalar) {
      isInScalar = true;
      begin();
    }
    return 1;
  }

  function begin(): void {
    extent.nodes += 1;
    length = 0;
  }

  return {
    extent,
    push(chunk) {
      for (const byte of chunk) {
        extent.bytes += 1;
        // In two steps: what begins here starts from 0.
        const grown = isInString ? inString(byte) : outside(byte);
        length += grown;
        if (length > extent.stringLength) extent.stringLength = length;
        if (extent.bytes > bounds.bytes) return "bytes";
        if (extent.depth > bounds.depth) return "depth";
        if (extent.nodes > bounds.nodes) return "nodes";
        if (extent.stringLength > bounds.stringLength) return "stringLength";
      }
      return undefined;
    },
  };
}

/** How many code units a character has that begins with this byte of UTF-8; 0 for a byte that continues one. */
function codeUnits(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  return byte < 0xf0 ? 1 : 2;
}
