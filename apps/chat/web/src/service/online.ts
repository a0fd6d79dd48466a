import { observable } from "../design/observable.ts";

/** Whether the browser believes that it has a network. */
export const online = observable(navigator.onLine);

addEventListener("online", () => online.set(true));
addEventListener("offline", () => online.set(false));
