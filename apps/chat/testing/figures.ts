import { expect } from "vitest";
import { asked } from "./asked.ts";

/** Asks the built-in responder, and expects each figure in its text, to within 3p. */
export async function expectFigures(question: string, figures: readonly number[]): Promise<void> {
  const { text } = await asked(question);
  const numbers = [...text.matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([number]) =>
    Number(number.replaceAll(",", "")),
  );
  for (const figure of figures) {
    const isThere = numbers.some((number) => Math.abs(number - figure) < 0.03);
    expect(isThere, `${figure.toFixed(2)} in: ${text}`).toBe(true);
  }
}
