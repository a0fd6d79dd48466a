/**
 * Why a provider refused a call. `quota`: your calls exceed your quota. `overload`: the provider is overloaded.
 * `money`: your credit is spent.
 */
export type ProviderReason = "quota" | "overload" | "money";

export interface ProviderRefusal {
  readonly reason: ProviderReason;
  /** How long the provider asks to wait, in milliseconds; absent for `money`, because no wait helps. */
  readonly waitMs?: number;
}

/** The wait if the provider names none. */
const usualWaitMs = 5000;
/** The longest wait that is accepted from a provider. */
const longestWaitMs = 86_400_000;

/**
 * Reads a refusal from a client's error: from the AI SDK, or from a provider's own client.
 *
 * @returns `undefined` for any other failure.
 */
export function readProviderRefusal(error: unknown): ProviderRefusal | undefined {
  const { status, header, body } = readError(error);
  if (status === 402 || isAboutMoney(status, body)) return { reason: "money" };
  const isOverload = status === 529 || (status === 503 && header("retry-after") !== undefined);
  if (status !== 429 && !isOverload) return undefined;
  const waitMs = readWait(header, body) ?? usualWaitMs;
  return { reason: isOverload ? "overload" : "quota", waitMs: Math.min(longestWaitMs, Math.ceil(waitMs)) };
}

type Header = (name: string) => string | undefined;

interface ErrorParts {
  readonly status: number | undefined;
  readonly header: Header;
  /** The body as text, because providers nest the fields differently. */
  readonly body: string;
}

function readError(error: unknown): ErrorParts {
  if (typeof error !== "object" || error === null)
    return { status: undefined, header: () => undefined, body: "" };
  const parts = error as {
    statusCode?: unknown;
    status?: unknown;
    responseHeaders?: unknown;
    headers?: unknown;
    responseBody?: unknown;
    error?: unknown;
    message?: unknown;
  };
  const status = parts.statusCode ?? parts.status;
  const body = [parts.responseBody, parts.error].map(asText).join(" ");
  return {
    status: typeof status === "number" ? status : undefined,
    header: headerOf(parts.responseHeaders ?? parts.headers),
    body: body.trim() === "" ? asText(parts.message) : body,
  };
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

function headerOf(headers: unknown): Header {
  if (headers instanceof Headers) return (name) => headers.get(name) ?? undefined;
  const entries = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  const values = new Map(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
  return (name) => values.get(name);
}

/**
 * Matches codes of OpenAI, Anthropic, Azure and similar providers. Gemini uses the same words for a temporary refusal,
 * but then adds `retryDelay`.
 */
function isAboutMoney(status: number | undefined, body: string): boolean {
  if (/insufficient_quota|billing_(hard_limit|not_active|error)|credit balance is too low/i.test(body))
    return true;
  return status === 429 && /billing details/i.test(body) && !/retryDelay/.test(body);
}

function readWait(header: Header, body: string): number | undefined {
  const exact = readNumber(header("retry-after-ms"));
  if (exact !== undefined) return exact;
  const explicit = readRetryAfter(header("retry-after"), header("date")) ?? readRetryInfo(body);
  return explicit ?? readResets(header);
}

/** Reads seconds or a date. A date is by the provider's clock, so it is compared with the response's `Date`. */
function readRetryAfter(value: string | undefined, date: string | undefined): number | undefined {
  const seconds = readNumber(value);
  if (seconds !== undefined) return seconds * 1000;
  const at = Date.parse(value ?? "");
  if (Number.isNaN(at)) return undefined;
  const now = Date.parse(date ?? "");
  return Math.max(0, at - (Number.isNaN(now) ? Date.now() : now));
}

/** Gemini: `"retryDelay": "7.5s"`. */
function readRetryInfo(body: string): number | undefined {
  const [, seconds] = /\\?"retryDelay\\?"\s*:\s*\\?"(\d+(?:\.\d+)?)s\\?"/.exec(body) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

const kinds = ["requests", "tokens", "input-tokens", "output-tokens"];

/**
 * OpenAI, Azure and Anthropic report for each quota what is left and when it resets. Only quotas with nothing left
 * matter.
 */
function readResets(header: Header): number | undefined {
  const waits = kinds.flatMap((kind) =>
    [`x-ratelimit-%-${kind}`, `anthropic-ratelimit-${kind}-%`].map((name) => {
      const remaining = readNumber(header(name.replace("%", "remaining")));
      if (remaining === undefined || remaining > 0) return undefined;
      return readReset(header(name.replace("%", "reset")), header("date"));
    }),
  );
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** `6m0s` and `20ms` (OpenAI), seconds or −1 (Azure), RFC 3339 (Anthropic). */
function readReset(value: string | undefined, date: string | undefined): number | undefined {
  const seconds = readNumber(value);
  if (seconds !== undefined) return seconds * 1000;
  if (value === undefined || /^-/.test(value)) return undefined;
  return readDuration(value) ?? readRetryAfter(value, date);
}

const unitsMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

function readDuration(value: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|d|h|m|s))+$/.test(value)) return undefined;
  let sum = 0;
  for (const [, count, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|d|h|m|s)/g))
    sum += Number(count) * (unitsMs[unit as string] as number);
  return sum;
}

/** Reads a number from 0 up. */
function readNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
