import MiniSearch from "minisearch";
import { SEARCH, type SearchEntry } from "../search-options.ts";

/** How many results are shown. */
const SHOWN = 12;
/** How much of a text stands below a result, in characters. */
const EXCERPT = 140;

type Found = { id: string } & Omit<SearchEntry, "id"> & { terms: string[] };

/** Has the button, `/` and Ctrl+K open a search of all pages. What it searches in is loaded when it is first opened. */
export function addSearch(button: HTMLButtonElement, root: URL): void {
  const dialog = document.createElement("dialog");
  dialog.className = "finder";
  dialog.setAttribute("aria-label", "Search");
  dialog.innerHTML = `<form method="dialog"><input type="search" aria-label="Search the pages" placeholder="Search the pages" autocomplete="off" spellcheck="false"><button class="icon" aria-label="Close">✕</button></form><p role="status"></p><ul></ul>`;
  document.body.append(dialog);
  const input = part(dialog, "input", HTMLInputElement);
  const status = part(dialog, "p", HTMLParagraphElement);
  const list = part(dialog, "ul", HTMLUListElement);
  let index: Promise<MiniSearch<SearchEntry>> | undefined;

  async function show(): Promise<void> {
    const query = input.value.trim();
    try {
      index ??= load(new URL("search.json", root));
      const loaded = await index;
      if (query !== input.value.trim()) return;
      const results = query ? (loaded.search(query) as unknown as Found[]) : [];
      status.textContent = query
        ? results.length
          ? `${results.length} found`
          : `Nothing found for “${query}”`
        : "";
      list.replaceChildren(...results.slice(0, SHOWN).map((result) => item(result, root)));
    } catch {
      index = undefined;
      status.textContent = "The search could not be loaded. Type again to try again.";
    }
  }

  const open = () => {
    if (!dialog.open) dialog.showModal();
    input.select();
    void show();
  };
  button.addEventListener("click", open);
  input.addEventListener("input", show);
  // The empty space around the box is the dialog itself.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || (event.target as Element).closest("li a")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === "ArrowDown") links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === "ArrowUp") (at <= 0 ? input : links[at - 1])?.focus();
    else if (event.key === "Enter" && document.activeElement === input) links[0]?.click();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select");
    const isWanted =
      event.key === "/" || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey));
    if (!isWanted || (isTyping && event.key === "/")) return;
    event.preventDefault();
    open();
  });
}

async function load(address: URL): Promise<MiniSearch<SearchEntry>> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return MiniSearch.loadJSON(await response.text(), SEARCH);
}

function item({ id, title, heading, text, terms }: Found, root: URL): HTMLLIElement {
  const link = document.createElement("a");
  link.href = new URL(id, root).href;
  const name = document.createElement("strong");
  name.textContent = heading || title;
  const place = document.createElement("span");
  place.textContent = heading ? title : "";
  const excerpt = document.createElement("small");
  excerpt.append(...marked(around(text, terms), terms));
  link.append(name, place, excerpt);
  const entry = document.createElement("li");
  entry.append(link);
  return entry;
}

/** The part of a text that speaks of what was found. */
function around(text: string, terms: readonly string[]): string {
  const lower = text.toLowerCase();
  const places = terms.map((term) => lower.indexOf(term)).filter((at) => at >= 0);
  const from = places.length ? Math.max(0, Math.min(...places) - 40) : 0;
  const begin = from === 0 ? 0 : text.indexOf(" ", from) + 1;
  const end = text.length > begin + EXCERPT ? text.lastIndexOf(" ", begin + EXCERPT) : text.length;
  return `${begin > 0 ? "… " : ""}${text.slice(begin, end)}${end < text.length ? " …" : ""}`;
}

function marked(text: string, terms: readonly string[]): (string | HTMLElement)[] {
  if (terms.length === 0) return [text];
  const escaped = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text.split(new RegExp(`(${escaped.join("|")})`, "i")).map((piece, at) => {
    if (at % 2 === 0) return piece;
    const mark = document.createElement("mark");
    mark.textContent = piece;
    return mark;
  });
}

function part<Type extends Element>(dialog: Element, selector: string, type: new () => Type): Type {
  const found = dialog.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The search has no ${selector}`);
  return found;
}
