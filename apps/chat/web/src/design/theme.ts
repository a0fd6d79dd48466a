import { observable } from "./observable.ts";
import { readStored, writeStored } from "./storage.ts";

export type Theme = "system" | "light" | "dark";

// The key in `localStorage`. public/theme.js reads it before the first paint.
const storageKey = "headgate.theme";

function storedTheme(): Theme {
  const stored = readStored(storageKey);
  return stored === "light" || stored === "dark" ? stored : "system";
}

export const theme = observable<Theme>(storedTheme());

/** Sets the theme, and keeps it after a reload. */
export function chooseTheme(chosen: Theme): void {
  theme.set(chosen);
  writeStored(storageKey, chosen === "system" ? null : chosen);
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
