import type { RateLimitedError } from "headgate/client";
import { type NoticeLabels, noticeLabels, shortWait, spokenWait } from "headgate/react";

/** Whether the caller already has the maximum number of answers in progress and must wait for one to end. */
export function isOfPlaces({ problem }: RateLimitedError): boolean {
  return problem?.waits_for === "holders";
}

/** Returns the words for a refusal, by its reason. */
export function refusalWords(error: RateLimitedError): NoticeLabels {
  if (isOfPlaces(error)) return ofPlaces;
  if (error.status === 503) return waitingFor("The model is busy just now.");
  const [limit = ""] = error.problem?.["violated-policies"] ?? [];
  if (limit.startsWith("global")) return waitingFor("Many people are asking just now.");
  if (limit.includes("tokens")) return waitingFor("Your tokens are used up for now.");
  return noticeLabels;
}

const places = "Your other answers are still being written. You can send this as soon as one of them ends.";
const ofPlaces: NoticeLabels = {
  ...noticeLabels,
  waiting: () => places,
  arrival: () => places,
  ready: "An answer has ended. You can send this now.",
  milestone: (seconds) => `You can send again when an answer ends, within ${spokenWait(seconds)}.`,
};

function waitingFor(reason: string): NoticeLabels {
  return {
    ...noticeLabels,
    waiting: (seconds) => `${reason} Please wait ${shortWait(seconds)}.`,
    arrival: (seconds) => `${reason} Please wait ${spokenWait(seconds)}.`,
  };
}
