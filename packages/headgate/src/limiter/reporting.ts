import { textOf } from "../core/reason.ts";
import type { OutageEvent } from "../remote/index.ts";

/** Calls a user's listener. If it throws, the error is reported and must not fail the request. */
export function notify<Event>(
  listener: ((event: Event) => void) | undefined,
  event: Event,
  report: (error: unknown) => void,
): void {
  if (listener === undefined) return;
  try {
    listener(event);
  } catch (error) {
    report(error);
  }
}

/** Wraps a reporter so that it never throws or rejects. */
export function guarded(report: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      const reported: unknown = report(error);
      if (reported instanceof Promise) reported.catch(onFailure);
    } catch (failure) {
      onFailure(failure);
    }
  };
}

function onFailure(failure: unknown): void {
  console.error("headgate: onError failed:", failure);
}

const mostKinds = 100;

/** Reports each kind of mistake once, not with each request, and at most 100 kinds. */
export function eachKindOnce(report: (error: unknown) => void): (error: unknown) => void {
  const kinds = new Set<string>();
  return (error) => {
    const kind = kindOf(error);
    if (kinds.has(kind) || kinds.size >= mostKinds) return;
    kinds.add(kind);
    report(error);
  };
}

function kindOf(error: unknown): string {
  return textOf(error);
}

const reportEveryMs = 60_000;
const reportedKinds = 100;

/** Writes errors to the console, each kind at most once a minute. */
export function reportOnConsole(): (error: unknown) => void {
  const last = new Map<string, number>();
  return (error) => {
    const kind = kindOf(error);
    const now = Date.now();
    if (now - (last.get(kind) ?? Number.NEGATIVE_INFINITY) < reportEveryMs) return;
    if (last.size >= reportedKinds) last.clear();
    last.set(kind, now);
    console.error("headgate:", error);
  };
}

export function warnOnConsole(warning: string): void {
  console.warn(`headgate: ${warning}`);
}

/** Writes to the console when an outage begins and when it ends, but not for the attempts in between. */
export function outagesOnConsole(): (event: OutageEvent) => void {
  let began: number | undefined;
  return ({ store, to, at, reason }) => {
    if (to === "open" && began === undefined) {
      began = at;
      console.warn(
        `headgate: The store "${store}" does not answer (${reason}): the outage policies decide until it does.`,
      );
    }
    if (to !== "closed" || began === undefined) return;
    console.warn(`headgate: The store "${store}" answers again after ${Math.ceil((at - began) / 1000)} s.`);
    began = undefined;
  };
}
