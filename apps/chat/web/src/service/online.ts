import { observable } from "../design/observable.ts";

/** Whether the browser reports a network connection. */
export const online = observable(navigator.onLine);

addEventListener("online", () => online.set(true));
addEventListener("offline", () => online.set(false));
