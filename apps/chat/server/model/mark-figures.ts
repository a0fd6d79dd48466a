/** Marks every figure in a model's words that no tool gave. */
import type { ModelMessage, TextStreamPart } from "ai";
import type { SalaryTools } from "./tools.ts";

type Part = TextStreamPart<SalaryTools>;

export const mark = " (not calculated)";

/** "£1,234.50", "£45k", "28.8%": what an answer about pay states as a figure. */
const figure = /£ ?\d[\d,]*(?:\.\d+)?(?:k\b| ?million\b)?|\d[\d,]*(?:\.\d+)? ?%/g;
/** What may still grow into a figure at the end of what has come so far. */
const unfinished = /(?:£ ?|£ ?\d[\d,.]*k?|\d[\d,.]* ?|£ ?\d[\d,.]* ?m?i?l?l?i?o?n?)$/;

/** The value of a figure, and half of what its last digit stands for: "£36k" is 36,000 to 500. */
function readFigure(text: string): { value: number; halfDigit: number } {
  const digits = /\d[\d,]*(?:\.(?<decimals>\d+))?/.exec(text);
  const scale = /k$/.test(text) ? 1_000 : /million$/.test(text) ? 1_000_000 : 1;
  const decimals = digits?.groups?.decimals?.length ?? 0;
  return {
    value: Number((digits?.[0] ?? "0").replaceAll(",", "")) * scale,
    halfDigit: (scale / 10 ** decimals) * 0.5,
  };
}

/** Every number in a value, however deep; shares also as percentages. */
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

/** What was said before, by the person or with a tool at hand; a figure that was marked then is marked again. */
function* numbersSaid(messages: readonly ModelMessage[]): Generator<number> {
  for (const { content } of messages) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    yield* numbersIn(text.replace(/£? ?\d[\d,.]*(?:k| ?million)? ?%?\*{0,2} \(not calculated\)/g, " "));
  }
}

/**
 * Watches a model's answer go by: whatever tools were given and gave is calculated, and so is what was said before. Any
 * other amount or percentage is followed by "(not calculated)". Nothing is held back.
 * @param messages what the model was given
 */
export function markUncalculated(messages: readonly ModelMessage[]) {
  return (): TransformStream<Part, Part> => {
    const known = [...numbersSaid(messages)];
    const isKnown = (text: string) => {
      const { value, halfDigit } = readFigure(text);
      return known.some((one) => Math.abs(one - value) <= halfDigit + 1e-9);
    };
    const marked = (text: string) => text.replace(figure, (found) => (isKnown(found) ? found : found + mark));
    /** The end of what was passed on, while it may still grow into a figure, or into another one. */
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
