/** A process that has not reported for this long, ms, is not counted any more: three times the longest interval between reports. */
export const processLifeMs = 30_000;
