import { observable } from "../design/observable.ts";

/** A function that focuses the composer on the screen; `null` if there is none. */
export const composerFocus = observable<(() => void) | null>(null);
