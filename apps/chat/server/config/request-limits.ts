import { HeadgateError, type Limit, parseLimits } from "headgate";
import type { Reading } from "./variables.ts";

/**
 * Reads a variable that limits requests: a bare number counts per the variable's own window, anything else is the
 * library's grammar. What the routes cannot honour is refused here: they count requests, and hold no places.
 */
export function requestsPer(window: "minute" | "hour") {
  return (text: string): Reading<string> => {
    const limits = /^\d+$/.test(text) ? `${text}/${window}` : text;
    const shouldBe = (reason: string) => ({
      shouldBe: `a number of messages a ${window}, such as 5, or a limit, such as 5/${window} (${withoutStop(reason)})`,
    });
    try {
      const wrong = parseLimits(limits).find((limit) => !isOfRequests(limit));
      if (!wrong) return { value: limits };
      return shouldBe(
        wrong.algorithm === "concurrent"
          ? "places are not given back here, so a concurrent limit would fill up: MAX_STREAMS bounds what runs at once"
          : `only requests are counted here, so a limit of ${wrong.unit} would count nothing`,
      );
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      return shouldBe(error.message);
    }
  };
}

function isOfRequests({ unit, algorithm }: Limit): boolean {
  return unit === "requests" && algorithm !== "concurrent";
}

/**
 * Joins limits that several variables state. Of two over the same window the stricter holds: `2/hour` in the variable for
 * minutes and `60/hour` in the one for hours are one limit of 2.
 */
export function joinLimits(...texts: string[]): string {
  const strictest = new Map<string, { text: string; quota: number }>();
  for (const text of texts.flatMap((several) => several.split(/[;,|]/)).map((one) => one.trim())) {
    if (text === "") continue;
    for (const { quota, windowMs, calendar } of parseLimits(text)) {
      const window = calendar ?? String(windowMs);
      const known = strictest.get(window);
      if (!known || quota < known.quota) strictest.set(window, { text, quota });
    }
  }
  return [...strictest.values()].map(({ text }) => text).join("; ");
}

/** The most requests that limits ever admit at one moment. */
export function mostAtOnce(limits: string): number {
  return Math.min(...parseLimits(limits).map(({ quota }) => quota));
}

export function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
