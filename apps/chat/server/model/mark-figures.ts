/** Marks every figure in a model's text that no tool returned. */
import type { ModelMessage, TextStreamPart } from "ai";
import type { SalaryTools } from "./tools.ts";

type Part = TextStreamPart<SalaryTools>;

export const mark = " (not calculated)";

/** Matches figures such as "£1,234.50", "£45k" and "28.8%". */
const figure = /£ ?\d[\d,]*(?:\.\d+)?(?:k\b| ?million\b)?|\d[\d,]*(?:\.\d+)? ?%/g;
/** Matches the end of a text that may become a figure. */
const unfinished = /(?:£ ?|£ ?\d[\d,.]*k?|\d[\d,.]* ?|£ ?\d[\d,.]* ?m?i?l?l?i?o?n?)$/;

/** Returns the value of a figure, and half of the place value of its last digit: "£36k" is 36,000 ± 500. */
function readFigure(text: string): { value: number; halfDigit: number } {
  const digits = /\d[\d,]*(?:\.(?<decimals>\d+))?/.exec(text);
  const scale = /k$/.test(text) ? 1_000 : /million$/.test(text) ? 1_000_000 : 1;
  const decimals = digits?.groups?.decimals?.length ?? 0;
  return {
    value: Number((digits?.[0] ?? "0").replaceAll(",", "")) * scale,
    halfDigit: (scale / 10 ** decimals) * 0.5,
  };
}

/** Yields every number in a value, at any depth. Shares also as percentages. */
function* numbersIn(value: unknown): Generator<number> {
  if (typeof value === "number") {
    yield Math.abs(value);
    if (Math.abs(value) <= 2) yield Math.abs(value) * 100;
  } else if (typeof value === "string") {
    for (const [text] of value.matchAll(/\d[\d,]*(?:\.\d+)?(?:k\b| ?million\b)?/g))
      yield readFigure(text).value;
  } else if (value !== null && typeof value === "object") {
    for (const inner of Object.values(value)) yield* numbersIn(inner);
  }
}

/** Yields the figures in earlier messages, except marked ones, which are marked again. */
function* numbersSaid(messages: readonly ModelMessage[]): Generator<number> {
  for (const { content } of messages) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    yield* numbersIn(text.replace(/£? ?\d[\d,.]*(?:k| ?million)? ?%?\*{0,2} \(not calculated\)/g, " "));
  }
}

/**
 * Transforms a model's answer. Figures from tools' inputs and outputs and from earlier messages count as calculated.
 * Any other amount or percentage is followed by "(not calculated)". No text is delayed.
 * @param messages the model's messages
 */
export function markUncalculated(messages: readonly ModelMessage[]) {
  return (): TransformStream<Part, Part> => {
    const known = [...numbersSaid(messages)];
    const isKnown = (text: string) => {
      const { value, halfDigit } = readFigure(text);
      return known.some((one) => Math.abs(one - value) <= halfDigit + 1e-9);
    };
    const marked = (text: string) => text.replace(figure, (found) => (isKnown(found) ? found : found + mark));
    /** The end of the text so far, if it may become a figure, or another figure. */
    let open = "";
    let id = "";
    return new TransformStream({
      transform(part, controller) {
        if (part.type === "tool-call") known.push(...numbersIn(part.input));
        if (part.type === "tool-result") known.push(...numbersIn(part.output));
        if (part.type === "text-delta") {
          const text = open + part.text;
          const tail = unfinished.exec(text)?.[0] ?? "";
          const ready = marked(text.slice(0, text.length - tail.length));
          const fresh = (ready + tail).slice(open.length);
          open = tail;
          id = part.id;
          controller.enqueue({ ...part, text: fresh });
          return;
        }
        const end = marked(open).slice(open.length);
        open = "";
        if (end !== "") controller.enqueue({ type: "text-delta", id, text: end });
        controller.enqueue(part);
      },
    });
  };
}
