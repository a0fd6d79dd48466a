import type { Conversation } from "../../../contract.ts";

export interface ConversationGroup {
  label: string;
  conversations: Conversation[];
}

const dayMs = 86_400_000;

/** Returns the start of the day `days` days ago in the reader's time zone, also across clock changes. */
function startOfDay(now: Date, days: number): number {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).getTime();
}

/**
 * Groups conversations, newest first, under Today, Yesterday, Previous 7 days, Previous 30 days, and then by month.
 * @param now milliseconds since the epoch; days are the reader's own
 */
export function groupByDate(conversations: readonly Conversation[], now: number): ConversationGroup[] {
  const today = new Date(now);
  const borders = [
    { from: startOfDay(today, 0), label: "Today" },
    { from: startOfDay(today, 1), label: "Yesterday" },
    { from: startOfDay(today, 7), label: "Previous 7 days" },
    { from: startOfDay(today, 30), label: "Previous 30 days" },
  ];
  const groups = new Map<string, Conversation[]>();
  for (const conversation of [...conversations].sort(newestFirst)) {
    const updated = Date.parse(conversation.updatedAt);
    const label = borders.find((border) => updated >= border.from)?.label ?? monthOf(updated, today);
    const group = groups.get(label);
    if (group) group.push(conversation);
    else groups.set(label, [conversation]);
  }
  return [...groups].map(([label, members]) => ({ label, conversations: members }));
}

function newestFirst(one: Conversation, other: Conversation): number {
  return Date.parse(other.updatedAt) - Date.parse(one.updatedAt);
}

function monthOf(updated: number, today: Date): string {
  if (Number.isNaN(updated)) return "Earlier";
  const thisYear = new Date(updated).getFullYear() === today.getFullYear();
  return new Intl.DateTimeFormat("en-GB", { month: "long", ...(thisYear ? {} : { year: "numeric" }) }).format(
    updated,
  );
}

/** Returns the milliseconds until the groups change, at the next midnight. */
export function untilTomorrow(now: number): number {
  return Math.min(Math.max(startOfDay(new Date(now), -1) - now, 1000), dayMs + 3_600_000);
}
