import type { Section } from "./navigation.ts";
import { escapeHtml, plainText } from "./text.ts";

/** A page of the site before anything is put around it. */
export interface Page {
  /** From the site's root, with forward slashes. */
  readonly path: string;
  readonly title: string;
  /** One sentence for search engines; absent where the page has none. */
  readonly description?: string | undefined;
  readonly html: string;
  /** `home` takes the whole width, without navigation at its sides. */
  readonly kind: "home" | "guide" | "reference" | "source";
}

const MARK = `<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#0d5f73"/><g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"><path d="M8 6.5v19M24 6.5v19M8 9.5h16"/><path d="M13 9.5v7h6v-7" stroke-linejoin="round"/><path d="M8 22.5c2-1.6 3.3-1.6 5.3 0s3.4 1.6 5.4 0 3.3-1.6 5.3 0" stroke="#8fe0ee"/></g></svg>`;

/** Before the first paint, or a dark page would flash white. */
const THEME = `try{const t=localStorage.getItem("theme");if(t)document.documentElement.dataset.theme=t}catch{}`;

/** The whole document of a page. Its addresses are relative, so that the site can lie in any folder of a server. */
export function layout(page: Page, navigation: readonly Section[]): string {
  const root = "../".repeat(page.path.split("/").length - 1);
  const title =
    page.kind === "home"
      ? `${page.title}: admission control for expensive endpoints`
      : `${page.title} · Headgate`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
${page.description ? `<meta name="description" content="${escapeHtml(page.description)}">\n` : ""}<link rel="icon" href="${root}mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}site.css">
<script>${THEME}</script>
<script src="${root}site.js" data-root="${root || "./"}" defer></script>
</head>
<body class="${page.kind}">
<a class="skip" href="#ui-content">Skip to the content</a>
<header class="bar">
<button type="button" class="icon menu" id="ui-menu" aria-label="Navigation" aria-expanded="false" aria-controls="ui-navigation" hidden>${icon("M4 7h16M4 12h16M4 17h16")}</button>
<a class="brand" href="${root}index.html">${MARK}<span>Headgate</span></a>
<button type="button" class="search" id="ui-search" aria-keyshortcuts="/ Control+K" hidden>${icon("M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l4.5 4.5")}<span>Search</span><kbd>/</kbd></button>
<button type="button" class="icon" id="ui-theme" aria-label="Dark colours" aria-pressed="false" hidden>${icon("M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8")}</button>
</header>
<div class="frame">
<nav class="side" id="ui-navigation" aria-label="Pages">
${navigation.map((section) => sectionOf(section, page.path, root)).join("\n")}
</nav>
<main id="ui-content" tabindex="-1">
<article>
${page.html}
</article>
${page.kind === "home" ? "" : neighbours(page.path, navigation, root)}
</main>
${page.kind === "home" ? "" : contents(page)}
</div>
</body>
</html>
`;
}

function sectionOf({ title, entries }: Section, current: string, root: string): string {
  const items = entries.map(({ path, label }) => {
    const here = path === current ? ' aria-current="page"' : "";
    return `<li><a href="${root}${path}"${here}>${escapeHtml(label)}</a></li>`;
  });
  return `<h2>${escapeHtml(title)}</h2>\n<ul>${items.join("")}</ul>`;
}

/** What is on the page: its headings of the second level; in a reference, and where those are few, of the third too. */
function contents({ html, kind }: Page): string {
  const all = [...html.matchAll(/<h([23]) id="([^"]+)">([\s\S]*?)<\/h\1>/g)];
  const second = all.filter(([, depth]) => depth === "2");
  const headings = kind === "reference" || second.length < 2 ? all : second;
  if (headings.length < 2) return '<div class="contents"></div>';
  const items = headings.map(([, depth, id, inner = ""]) => {
    const words = plainText(inner.replace(/<a class="anchor"[\s\S]*?<\/a>/, "")).trim();
    return `<li class="depth-${depth}"><a href="#${id}">${escapeHtml(words)}</a></li>`;
  });
  return `<nav class="contents" aria-labelledby="ui-contents"><h2 id="ui-contents">On this page</h2><ul>${items.join("")}</ul></nav>`;
}

function neighbours(path: string, navigation: readonly Section[], root: string): string {
  const entries = navigation.flatMap((section) => section.entries);
  const at = entries.findIndex((entry) => entry.path === path);
  if (at < 0) return "";
  const link = (entry: (typeof entries)[number] | undefined, side: "previous" | "next") =>
    entry
      ? `<a class="${side}" rel="${side === "next" ? "next" : "prev"}" href="${root}${entry.path}"><span>${side === "next" ? "Next" : "Previous"}</span>${escapeHtml(entry.label)}</a>`
      : "<span></span>";
  return `<nav class="neighbours" aria-label="Neighbouring pages">${link(entries[at - 1], "previous")}${link(entries[at + 1], "next")}</nav>`;
}

function icon(path: string): string {
  return `<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"><path d="${path}"/></svg>`;
}
