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
          ? "how many answers run at once is RATE_LIMIT_CHAT_CONCURRENT's to say"
          : `only requests are counted here, so a limit of ${wrong.unit} would count nothing`,
      );
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      return shouldBe(error.message);
    }
  };
}

/** Reads a variable that limits tokens: a bare number counts a day. */
export function tokensPerDay(text: string): Reading<string> {
  const limits = /^\d+$/.test(text) ? `${text} tokens/day` : text;
  return readLimits(
    limits,
    "a number of tokens a day, such as 100000, or a limit, such as 100000 tokens/day",
    (limit) => (limit.unit === "tokens" ? undefined : `a limit of ${limit.unit} counts no tokens`),
  );
}

/** Reads how many answers one caller may have at once. `null` for as many as they like. */
export function answersAtOnce(text: string): Reading<string | null> {
  if (text === "unlimited") return { value: null };
  if (/^[1-9]\d{0,4}$/.test(text)) return { value: `${text} concurrent` };
  return { shouldBe: "a number of answers at once, from 1 to 99999, such as 2, or unlimited" };
}

/** Reads what all callers together may use, in any unit that the service counts. */
export function ofAllCallers(text: string): Reading<string> {
  const shouldBe =
    "limits of requests, tokens or answers at once, such as 1000/minute; 5000000 tokens/day; 100 concurrent";
  return readLimits(text, shouldBe, ({ unit }) =>
    ["requests", "tokens", "concurrent"].includes(unit) ? undefined : `nothing here is counted in ${unit}`,
  );
}

function readLimits(
  text: string,
  shouldBe: string,
  wrongWith: (limit: Limit) => string | undefined,
): Reading<string> {
  try {
    const wrong = parseLimits(text).map(wrongWith).find(Boolean);
    return wrong === undefined ? { value: text } : { shouldBe: `${shouldBe} (${wrong})` };
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return { shouldBe: `${shouldBe} (${withoutStop(error.message)})` };
  }
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
