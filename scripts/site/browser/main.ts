/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { addCopyButtons } from "./copy.ts";
import { addDrawer } from "./drawer.ts";
import { addSearch } from "./search.ts";
import { addTheme } from "./theme.ts";

// Each shows its own button: without a script nothing is offered that does not work.
const root = new URL(
  document.querySelector<HTMLScriptElement>("script[data-root]")?.dataset.root ?? "./",
  location.href,
);
addTheme(button("ui-theme"));
addDrawer(button("ui-menu"));
addSearch(button("ui-search"), root);
addCopyButtons();

function button(id: string): HTMLButtonElement {
  const found = document.getElementById(id);
  if (!(found instanceof HTMLButtonElement)) throw new Error(`The page has no button "${id}"`);
  found.hidden = false;
  return found;
}
