import { ConfigError } from "./config-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads one variable's text: its value, or the words that complete the sentence "NAME should be …". */
export type Reading<Value> = { value: Value } | { shouldBe: string };

/**
 * Reads variables one by one and remembers every one that cannot be read, so that all of them are reported together.
 * An empty variable counts as absent: compose files and CI pass those for what was left unset.
 */
export function variableReader(environment: Environment) {
  const sentences: string[] = [];

  return {
    /**
     * @param fallback what an absent variable is, as it would be written
     * @param secret keeps the value out of the sentence
     */
    read<Value>(
      name: string,
      fallback: string,
      parse: (text: string) => Reading<Value>,
      { secret = false } = {},
    ): Value | undefined {
      const text = environment[name]?.trim() || fallback;
      const reading = parse(text);
      if ("value" in reading) return reading.value;
      sentences.push(
        `${name} ${secret ? "cannot be read (its value is not shown)" : `is ${JSON.stringify(text)}`}: it should be ${reading.shouldBe}.`,
      );
      return undefined;
    },

    /** Two variables that do not go together: a sentence that names them, and says what would be right. */
    refuse(sentence: string): void {
      sentences.push(sentence);
    },

    /** @throws {ConfigError} naming every variable that could not be read */
    assertAllRead(): void {
      if (sentences.length > 0) throw new ConfigError(sentences);
    },
  };
}

export function wholeNumber(least: number, most: number) {
  return (text: string): Reading<number> => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return { value };
    return { shouldBe: `a whole number from ${least} to ${most}` };
  };
}

export function oneOf<const Value extends string>(...values: Value[]) {
  return (text: string): Reading<Value> => {
    const value = values.find((candidate) => candidate === text.toLowerCase());
    return value === undefined ? { shouldBe: `one of ${values.join(", ")}` } : { value };
  };
}

export function onOrOff(text: string): Reading<boolean> {
  const word = text.toLowerCase();
  if (["on", "true", "yes", "1"].includes(word)) return { value: true };
  if (["off", "false", "no", "0"].includes(word)) return { value: false };
  return { shouldBe: "on or off" };
}

export function optional<Value>(parse: (text: string) => Reading<Value>) {
  return (text: string): Reading<Value | null> => (text === "" ? { value: null } : parse(text));
}
