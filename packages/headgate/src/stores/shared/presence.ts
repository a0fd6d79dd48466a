/** A process that has not been heard of for so long, ms, is not counted any more: that is three times as long as one is silent. */
export const processLifeMs = 30_000;
