/** How long after its last report a process is counted, ms: three times the longest interval between reports. */
export const processLifeMs = 30_000;
