/** Where something is in a text; both count from 1. */
export interface TextPlace {
  line: number;
  column: number;
}

/** JSON that was read, and where its members are. */
export interface JsonText {
  value: unknown;
  /** @param path such as `["layers", 0, "limits"]`. @returns where it is, or the nearest that holds it. */
  placeOf(path: JsonPath): TextPlace;
}

export type JsonPath = readonly (string | number)[];

/** The text is not JSON. */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
  readonly place: TextPlace;
  constructor(message: string, place: TextPlace) {
    super(message);
    this.place = place;
  }
}

/** A policy is nested 6 deep at most. */
const DEEPEST = 20;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Reads JSON, and remembers where each member is. `JSON.parse` gives no place that is the same in all runtimes, and takes the last of
 * two members of one name without a word.
 *
 * @throws JsonTextError that says where and what was expected
 */
export function readJsonText(text: string): JsonText {
  const places = new Map<string, number>();
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

  function readValue(path: JsonPath): void {
    skip();
    const key = keyOf(path);
    if (!places.has(key)) places.set(key, at);
    if (path.length > DEEPEST) fail(`at most ${DEEPEST} levels`);
    const sign = text[at];
    if (sign === "{") readMembers(path);
    else if (sign === "[") readItems(path);
    else if (match(STRING) === undefined && match(NUMBER) === undefined && match(WORD) === undefined)
      fail(sign === '"' ? 'a text that ends with " on its line' : "a value, such as a text in double quotes");
  }

  function readMembers(path: JsonPath): void {
    at += 1;
    skip();
    if (match(/\}/y) !== undefined) return;
    for (;;) {
      skip();
      const start = at;
      const name = match(STRING);
      if (name === undefined) fail("a name in double quotes");
      const member = [...path, JSON.parse(name) as string];
      if (places.has(keyOf(member)))
        throw new JsonTextError(`${name} is written twice.`, placeIn(text, start));
      places.set(keyOf(member), start);
      skip();
      if (match(/:/y) === undefined) fail('":"');
      readValue(member);
      skip();
      if (match(/\}/y) !== undefined) return;
      if (match(/,/y) === undefined) fail('"," or "}"');
    }
  }

  function readItems(path: JsonPath): void {
    at += 1;
    skip();
    if (match(/\]/y) !== undefined) return;
    for (let item = 0; ; item += 1) {
      readValue([...path, item]);
      skip();
      if (match(/\]/y) !== undefined) return;
      if (match(/,/y) === undefined) fail('"," or "]"');
    }
  }

  readValue([]);
  skip();
  if (at < text.length) fail("the end");
  return {
    value: JSON.parse(text),
    placeOf(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const found = places.get(keyOf(path.slice(0, length)));
        if (found !== undefined) return placeIn(text, found);
      }
      return placeIn(text, places.get(keyOf([])) ?? 0);
    },
  };
}

function keyOf(path: JsonPath): string {
  return JSON.stringify(path);
}

function placeIn(text: string, at: number): TextPlace {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}
