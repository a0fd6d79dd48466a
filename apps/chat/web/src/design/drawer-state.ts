import { observable } from "./observable.ts";

/** Whether the sidebar is drawn over the page, on screens too narrow to have both. */
export const drawerOpen = observable(false);
