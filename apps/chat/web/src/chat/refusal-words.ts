import type { RateLimitedError } from "headgate/client";
import { type NoticeLabels, noticeLabels, shortWait, spokenWait } from "headgate/react";

/** Whether as many answers as this caller may have are being written: what is waited for is that one of them ends. */
export function isOfPlaces({ problem }: RateLimitedError): boolean {
  return problem?.waits_for === "holders";
}

/** What a refusal is for, in words: too many messages is only one of the reasons. */
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
  milestone: (seconds) => `You can send again when an answer ends, in ${spokenWait(seconds)} at the latest.`,
};

function waitingFor(reason: string): NoticeLabels {
  return {
    ...noticeLabels,
    waiting: (seconds) => `${reason} Please wait ${shortWait(seconds)}.`,
    arrival: (seconds) => `${reason} Please wait ${spokenWait(seconds)}.`,
  };
}
