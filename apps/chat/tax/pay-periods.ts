/** The periods for which pay can be stated. */
export type PayPeriod = "hour" | "day" | "week" | "fortnight" | "four weeks" | "month" | "quarter" | "year";

/** The default hours of a full week. */
export const usualHours = 37.5;
export const usualDays = 5;
export const weeksPerYear = 52;

export interface WorkingWeek {
  hours?: number | undefined;
  days?: number | undefined;
  /** Weeks paid in a year. Default 52. */
  weeks?: number | undefined;
}

/** Returns the number of periods in a year. */
export function periodsPerYear(period: PayPeriod, week: WorkingWeek = {}): number {
  const weeks = week.weeks ?? weeksPerYear;
  switch (period) {
    case "hour":
      return (week.hours ?? usualHours) * weeks;
    case "day":
      return (week.days ?? usualDays) * weeks;
    case "week":
      return weeks;
    case "fortnight":
      return 26;
    case "four weeks":
      return 13;
    case "month":
      return 12;
    case "quarter":
      return 4;
    case "year":
      return 1;
  }
}
