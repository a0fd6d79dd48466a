import { observable } from "../design/observable.ts";

/** Puts the cursor into the composer on the screen; `null` while there is none. */
export const composerFocus = observable<(() => void) | null>(null);
