/**
 * State Pension age by date of birth: 66, rising to 67 month by month for those born from 6 April 1960, and to 68 for
 * those born from 6 April 1977 (https://www.gov.uk/government/publications/state-pension-age-timetable).
 */
import type { CalendarDate } from "./tax-year.ts";

function ordinal({ year, month, day }: CalendarDate): number {
  return (year * 12 + month) * 32 + day;
}

/** Returns the same day of the month, some months later. */
export function after(date: CalendarDate, months: number): CalendarDate {
  const at = date.year * 12 + date.month - 1 + months;
  return { year: Math.floor(at / 12), month: (at % 12) + 1, day: date.day };
}

/**
 * Returns the months from birth to State Pension age. For births before 1955 it returns 66 years, because all of these
 * people have reached it.
 */
export function statePensionAgeMonths(born: CalendarDate): number {
  const sixtySix = 66 * 12;
  const rises = { year: 1960, month: 4, day: 6 };
  if (ordinal(born) < ordinal(rises)) return sixtySix;
  // The timetable counts months that begin on the 6th.
  const months = (born.year - 1960) * 12 + (born.month - 4) + (born.day >= 6 ? 1 : 0);
  if (months < 12) return sixtySix + months;
  if (ordinal(born) < ordinal({ year: 1977, month: 4, day: 6 })) return 67 * 12;
  const later = (born.year - 1977) * 12 + (born.month - 4) + (born.day >= 6 ? 1 : 0);
  return later < 12 ? 67 * 12 + later : 68 * 12;
}

/**
 * Whether a person of this age, in whole years, has reached State Pension age on a day; `undefined` if it depends on
 * the birthday.
 */
export function isOverStatePensionAge(age: number, today: CalendarDate): boolean | undefined {
  const reached = (born: CalendarDate) => ordinal(after(born, statePensionAgeMonths(born))) <= ordinal(today);
  const youngest = reached({ ...today, year: today.year - age });
  const oldest = reached(after({ ...today, day: Math.min(today.day + 1, 31) }, -(age + 1) * 12));
  return youngest === oldest ? youngest : undefined;
}
