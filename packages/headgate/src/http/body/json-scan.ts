/** How large a JSON text may be. Each bound is a whole number, 1 or more. */
export interface JsonBounds {
  /** Bytes of the whole text. Default 1,048,576 (1 MiB). */
  bytes: number;
  /** Arrays and objects inside each other. Default 32. */
  depth: number;
  /** Values and property names together, which a parser creates and a validator visits. Default 50,000. */
  nodes: number;
  /** Characters (UTF-16 code units, as in `text.length`) of one string or property name, or of one number. Default 262,144. */
  stringLength: number;
}

/** The size of the JSON text so far. */
export interface JsonExtent extends JsonBounds {}

export interface JsonScan {
  /**
   * Counts the next bytes. A chunk may end anywhere, even within a character.
   *
   * @returns the first bound that the bytes exceed; no byte after that is read
   */
  push(chunk: Uint8Array): keyof JsonBounds | undefined;
  /** The largest value of each so far. */
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

/** How many UTF-16 code units the character has that begins with this UTF-8 byte; 0 for a continuation byte. */
const CODE_UNITS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x80 ? 1 : byte < 0xc0 ? 0 : byte < 0xf0 ? 1 : 2,
);

/** What the current bytes belong to. */
const BETWEEN = 0;
/** A number, `true`, `false` or `null`, or any other text outside strings. */
const IN_WORD = 1;
const IN_STRING = 2;
const AFTER_BACKSLASH = 3;

/**
 * Measures a JSON text byte by byte, in one pass, without creating values or strings and without recursion. It does not
 * check that the text is JSON. For valid JSON, it counts exactly what a parser would create. For any other text, it
 * stops at the same bounds.
 */
export function scanJson(bounds: JsonBounds): JsonScan {
  const extent: JsonExtent = { bytes: 0, depth: 0, nodes: 0, stringLength: 0 };
  let state = BETWEEN;
  let depth = 0;
  /** The length of the current string or word. */
  let length = 0;
  let hexDigitsLeft = 0;

  /**
   * Reads the bytes of a string from `at`. @returns the index after the string, or after the chunk, or where the bound
   * is exceeded
   */
  function readString(chunk: Uint8Array, at: number, end: number): number {
    // Nearly all bytes of a large body are read in this loop, so its state is in local variables.
    const most = bounds.stringLength;
    let grown = length;
    let isEscaped = state === AFTER_BACKSLASH;
    let isOpen = true;
    let place = at;
    while (place < end && isOpen && grown <= most) {
      const byte = chunk[place] as number;
      place += 1;
      if (isEscaped) {
        isEscaped = false;
        grown += 1;
        if (byte === SMALL_U) hexDigitsLeft = HEX_DIGITS;
      } else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) isOpen = false;
      else if (hexDigitsLeft > 0) hexDigitsLeft -= 1;
      else grown += CODE_UNITS[byte] as number;
    }
    length = grown;
    state = isEscaped ? AFTER_BACKSLASH : isOpen ? IN_STRING : BETWEEN;
    return place;
  }

  /** Reads one byte outside strings. */
  function readOutside(byte: number): void {
    if (byte === QUOTE) begin(IN_STRING);
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      begin(BETWEEN);
      depth += 1;
      if (depth > extent.depth) extent.depth = depth;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      state = BETWEEN;
      depth -= 1;
    } else if (byte === COMMA || byte === COLON || byte <= SPACE) state = BETWEEN;
    else {
      if (state === BETWEEN) begin(IN_WORD);
      length += 1;
    }
  }

  function begin(next: number): void {
    state = next;
    length = 0;
    hexDigitsLeft = 0;
    extent.nodes += 1;
  }

  return {
    extent,
    push(chunk) {
      const end = Math.min(chunk.length, bounds.bytes - extent.bytes);
      for (let at = 0; at < end; ) {
        if (state >= IN_STRING) at = readString(chunk, at, end);
        else {
          readOutside(chunk[at] as number);
          at += 1;
          if (extent.depth > bounds.depth) return stopAt(at, "depth");
          if (extent.nodes > bounds.nodes) return stopAt(at, "nodes");
        }
        if (length > extent.stringLength) extent.stringLength = length;
        if (length > bounds.stringLength) return stopAt(at, "stringLength");
      }
      extent.bytes += end;
      return end < chunk.length ? stopAt(1, "bytes") : undefined;
    },
  };

  function stopAt(bytes: number, bound: keyof JsonBounds): keyof JsonBounds {
    extent.bytes += bytes;
    return bound;
  }
}
