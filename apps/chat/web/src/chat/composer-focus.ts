import { observable } from "../design/observable.ts";

/** Focuses the composer on the screen; `null` if there is none. */
export const composerFocus = observable<(() => void) | null>(null);
