import { ConfigError } from "./config-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The result of reading a variable: its value, or the end of the sentence "NAME … should be …". */
export type Reading<Value> = { value: Value } | { shouldBe: string };

/**
 * Creates a reader of variables that collects all invalid ones, so that they are reported together. An empty variable
 * counts as absent, because compose files and CI pass empty values for unset variables.
 */
export function variableReader(environment: Environment) {
  const sentences: string[] = [];

  return {
    /**
     * @param fallback the text for an absent variable
     * @param secret keeps the value out of the message
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

    /** Reports variables that conflict, with a sentence that names them and what would be right. */
    refuse(sentence: string): void {
      sentences.push(sentence);
    },

    /** @throws {ConfigError} with every invalid variable */
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
