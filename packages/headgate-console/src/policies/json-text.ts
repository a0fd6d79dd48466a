/** A position in a text; line and column count from 1. */
export interface TextPlace {
  line: number;
  column: number;
}

/** Parsed JSON, with the positions of its members. */
export interface JsonText {
  value: unknown;
  /** Returns the position of a path such as `["layers", 0, "limits"]`, or that of the nearest parent. */
  placeOf(path: JsonPath): TextPlace;
}

export type JsonPath = readonly (string | number)[];

/** The error of a text that is not JSON. */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
  readonly place: TextPlace;
  constructor(message: string, place: TextPlace) {
    super(message);
    this.place = place;
  }
}

/** The maximum depth. A policy is at most 6 levels deep. */
const DEEPEST = 20;
/**
 * The start of a value or member, and its children. A tree, because a map of paths would repeat all parent names for
 * each item.
 */
interface Node {
  at: number;
  parts: Map<string | number, Node>;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Parses JSON and records the position of each member. `JSON.parse` reports no position that is the same in all
 * runtimes, and silently accepts two members with the same name.
 *
 * @throws JsonTextError with the position and what was expected
 */
export function readJsonText(text: string): JsonText {
  let at = 0;

  function fail(expected: string): never {
    const found = at >= text.length ? "the end" : JSON.stringify(/^\S{1,20}/.exec(text.slice(at))?.[0]);
    throw new JsonTextError(`Expected ${expected}, found ${found ?? "a blank"}.`, placeIn(text, at));
  }
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const skip = () => match(SPACE);

  function readValue(node: Node, depth: number): void {
    if (depth > DEEPEST) fail(`at most ${DEEPEST} levels`);
    const sign = text[at];
    if (sign === "{") readMembers(node, depth + 1);
    else if (sign === "[") readItems(node, depth + 1);
    else if (match(STRING) === undefined && match(NUMBER) === undefined && match(WORD) === undefined)
      fail(sign === '"' ? 'a text that ends with " on its line' : "a value, such as a text in double quotes");
  }

  function readMembers({ parts }: Node, depth: number): void {
    at += 1;
    skip();
    if (match(/\}/y) !== undefined) return;
    for (;;) {
      skip();
      const member = nodeAt(at);
      const quoted = match(STRING);
      if (quoted === undefined) fail("a name in double quotes");
      const name = JSON.parse(quoted) as string;
      if (parts.has(name)) throw new JsonTextError(`${quoted} is written twice.`, placeIn(text, member.at));
      parts.set(name, member);
      skip();
      if (match(/:/y) === undefined) fail('":"');
      skip();
      readValue(member, depth);
      skip();
      if (match(/\}/y) !== undefined) return;
      if (match(/,/y) === undefined) fail('"," or "}"');
    }
  }

  function readItems({ parts }: Node, depth: number): void {
    at += 1;
    skip();
    if (match(/\]/y) !== undefined) return;
    for (let item = 0; ; item += 1) {
      skip();
      const node = nodeAt(at);
      parts.set(item, node);
      readValue(node, depth);
      skip();
      if (match(/\]/y) !== undefined) return;
      if (match(/,/y) === undefined) fail('"," or "]"');
    }
  }

  skip();
  const root = nodeAt(at);
  readValue(root, 0);
  skip();
  if (at < text.length) fail("the end");
  return {
    value: JSON.parse(text),
    placeOf(path) {
      let node = root;
      for (const part of path) {
        const inside = node.parts.get(part);
        if (inside === undefined) break;
        node = inside;
      }
      return placeIn(text, node.at);
    },
  };
}

function nodeAt(at: number): Node {
  return { at, parts: new Map() };
}

function placeIn(text: string, at: number): TextPlace {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}
