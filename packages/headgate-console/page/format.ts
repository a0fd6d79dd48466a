const whole = new Intl.NumberFormat("en-GB");
const share = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const exactDate = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const clockWithSeconds = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayAndClock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

export const number = (value: number) => whole.format(Math.round(value * 10) / 10);
export const percent = (part: number, of: number) => (of === 0 ? "–" : share.format(part / of));
export const timeOf = (at: number) => clock.format(at);
export const exactTimeOf = (at: number) => clockWithSeconds.format(at);
export const exactDateOf = (at: number) => exactDate.format(at);
export const dateOf = (at: number) => dayAndClock.format(at);
export const untilOf = (until: number | null) =>
  until === null ? "until an operator ends it" : `until ${dateOf(until)}`;

/** Formats a duration, such as `42 s`, `3 min`, `2 h`. Rounds up, so that a wait is never too short. */
export function duration(ms: number | null): string {
  if (ms === null) return "for good";
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.ceil(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.ceil(seconds / 3_600)} h`;
  return `${Math.ceil(seconds / 86_400)} days`;
}

/** Formats a limit, such as `5 requests a minute`. */
export function limitInWords(quota: number, unit: string, windowMs: number): string {
  const window = duration(windowMs);
  const each = { "60 s": "a minute", "60 min": "an hour", "24 h": "a day" }[window] ?? `in ${window}`;
  return windowMs > 0 && Number.isFinite(windowMs)
    ? `${number(quota)} ${unit} ${each}`
    : `${number(quota)} ${unit}`;
}

/** Formats a number with its noun, such as `1 request`, `2 requests`. */
export function counted(amount: number, one: string, many = `${one}s`): string {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}
