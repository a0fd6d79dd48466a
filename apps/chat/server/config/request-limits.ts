import { HeadgateError, type Limit, parseLimits } from "headgate";
import type { Reading } from "./variables.ts";

/**
 * Reads a variable that limits requests. A bare number uses the variable's own window; anything else is parsed by the
 * library. Rejects units that the routes do not count: they count requests, and hold no places.
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
          ? "RATE_LIMIT_CHAT_CONCURRENT limits how many answers run at once"
          : `only requests are counted here, not ${wrong.unit}`,
      );
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      return shouldBe(error.message);
    }
  };
}

/** Reads a variable that limits tokens. A bare number is a limit per day. */
export function tokensPerDay(text: string): Reading<string> {
  const limits = /^\d+$/.test(text) ? `${text} tokens/day` : text;
  return readLimits(
    limits,
    "a number of tokens a day, such as 100000, or a limit, such as 100000 tokens/day",
    (limit) => (limit.unit === "tokens" ? undefined : `this is a limit of ${limit.unit}, not of tokens`),
  );
}

/** Reads how many answers one caller may have at once; `null` for no limit. */
export function answersAtOnce(text: string): Reading<string | null> {
  if (text === "unlimited") return { value: null };
  if (/^[1-9]\d{0,4}$/.test(text)) return { value: `${text} concurrent` };
  return { shouldBe: "a number of answers at once, from 1 to 99999, such as 2, or unlimited" };
}

/** Reads the limits of all callers together, in any unit that the service counts. */
export function ofAllCallers(text: string): Reading<string> {
  const shouldBe =
    "limits of requests, tokens or answers at once, such as 1000/minute; 5000000 tokens/day; 100 concurrent";
  return readLimits(text, shouldBe, ({ unit }) =>
    ["requests", "tokens", "concurrent"].includes(unit) ? undefined : `the service does not count ${unit}`,
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
 * Joins the limits of several variables. If two have the same window, the stricter applies: `2/hour` in the variable
 * for minutes and `60/hour` in the variable for hours become one limit of 2.
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

/** Returns the maximum number of requests that the limits admit at one moment. */
export function mostAtOnce(limits: string): number {
  return Math.min(...parseLimits(limits).map(({ quota }) => quota));
}

export function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
