import { observable } from "./observable.ts";

/** Whether the sidebar is open over the page, on narrow screens. */
export const drawerOpen = observable(false);
