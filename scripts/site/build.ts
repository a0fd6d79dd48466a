import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundle } from "esbuild";
import { type ReferencePage, referencePages } from "../reference/pages.ts";
import { codeBlock } from "./code.ts";
import { homeHtml, readOpening } from "./home.ts";
import { layout, type Page } from "./layout.ts";
import { deadLinks } from "./links.ts";
import { renderMarkdown } from "./markdown.ts";
import { type Section, sections } from "./navigation.ts";
import { searchIndex } from "./search-index.ts";
import { escapeHtml, plainText } from "./text.ts";

/** The files of the site, by their path from its root. */
export type Site = Map<string, string | Uint8Array>;

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

const PICTURE = /\.(svg|png|jpe?g|webp|gif)$/;
/** In the order in which they overrule each other. */
const STYLES = ["base", "prose", "frame", "reference", "home", "search"];

/**
 * Makes the site from `docs/`, the README and the built declarations of the package.
 *
 * @param root the repository's folder, with the package built
 * @throws for a page without a place in the navigation, for a link to a file that is not there, and for dead links
 *   within the site: all of them in one message
 */
export async function buildSite(root: string = ROOT): Promise<Site> {
  const docs = readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.slice(0, -".md".length).replaceAll(path.sep, "/"))
    .sort();
  const pages = new Map<string, Page>();
  const site: Site = new Map();
  /** What links lead to and the navigation does not name: examples, reports. */
  const wanted = new Set<string>();
  const missing: string[] = [];

  const resolveFrom = (source: string, page: string) => (target: string) => {
    if (/^([a-z]+:|#)/.test(target)) return target;
    const [file = "", place] = target.split("#");
    const found = path.posix.join(path.posix.dirname(source), file).replace(/\/$/, "");
    if (!existsSync(path.join(root, found))) {
      missing.push(`${source} links to "${target}": there is no ${found}`);
      return undefined;
    }
    const address = addressOf(found, place);
    if (address === undefined) return undefined;
    if (PICTURE.test(found)) site.set(address, readFileSync(path.join(root, found)));
    else if (address.startsWith("source/")) wanted.add(found);
    return path.posix.relative(path.posix.dirname(page), address) + (place ? `#${place}` : "");
  };

  /** A directory has no page: what names it stays plain text. */
  function addressOf(file: string, place: string | undefined): string | undefined {
    // The first page shows the README's beginning, and none of its other headings.
    if (file === "README.md" && place === undefined) return "index.html";
    if (file === "packages/headgate/api") return "reference/index.html";
    if (statSync(path.join(root, file)).isDirectory()) return undefined;
    if (PICTURE.test(file)) return `files/${file}`;
    const page = /^docs\/(.*)\.md$/.exec(file)?.[1];
    return page === undefined ? `source/${file}.html` : `${page}.html`;
  }

  const add = (page: Page) => pages.set(page.path, page);
  const text = (file: string) => readFileSync(path.join(root, file), "utf8");
  for (const page of docs)
    add(
      markdownPage(
        `${page}.html`,
        "guide",
        text(`docs/${page}.md`),
        resolveFrom(`docs/${page}.md`, `${page}.html`),
      ),
    );
  const navigation = sections(new Map(docs.map((page) => [page, pages.get(`${page}.html`)?.title ?? page])));
  const reference = referencePages(path.join(root, "packages/headgate"));
  addReference(navigation, reference);
  for (const { path: at, specifier, html } of reference)
    add({ path: at, title: specifier, description: `What ${specifier} exports.`, html, kind: "reference" });
  add(referenceIndex(reference));
  const opening = readOpening(text("README.md"));
  add({
    path: "index.html",
    title: "Headgate",
    description: opening.sentence,
    html: homeHtml(opening, navigation, resolveFrom("README.md", "index.html")),
    kind: "home",
  });
  // A set may grow while it is walked: a page that is linked to may link to more.
  for (const file of wanted) {
    const at = `source/${file}.html`;
    add(
      file.endsWith(".md")
        ? markdownPage(at, "source", text(file), resolveFrom(file, at))
        : codePage(at, file, text(file)),
    );
  }

  for (const [at, page] of pages) site.set(at, layout(page, navigation));
  site.set("search.json", searchIndex([...pages.values()].filter(({ kind }) => kind !== "home")));
  site.set(
    "site.css",
    STYLES.map((name) => readFileSync(new URL(`styles/${name}.css`, import.meta.url), "utf8")).join("\n"),
  );
  site.set("site.js", await script());
  site.set("mark.svg", readFileSync(path.join(root, "apps/chat/web/public/favicon.svg")));

  const faults = [...missing, ...deadLinks(site)];
  if (faults.length) throw new Error(`The site has dead links:\n${faults.join("\n")}`);
  return site;
}

function addReference(navigation: readonly Section[], reference: readonly ReferencePage[]): void {
  const section = navigation.find(({ title }) => title === "Reference");
  section?.entries.unshift({ path: "reference/index.html", label: "All exports" });
  section?.entries.push(...reference.map((page) => ({ path: page.path, label: page.specifier })));
}

function markdownPage(
  at: string,
  kind: Page["kind"],
  text: string,
  resolve: (target: string) => string | undefined,
): Page {
  const html = renderMarkdown(text, resolve);
  const [, title = at] = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(html) ?? [];
  const [, first] = /<p>([\s\S]*?)<\/p>/.exec(html) ?? [];
  const description = first && plainText(first).replace(/\s+/g, " ");
  return { path: at, title: plainText(title), description, html, kind };
}

function codePage(at: string, file: string, text: string): Page {
  const html = `<h1 id="top"><code>${escapeHtml(file)}</code></h1>${codeBlock(text, path.extname(file).slice(1))}`;
  return { path: at, title: file, html, kind: "source" };
}

function referenceIndex(reference: readonly ReferencePage[]): Page {
  const parts = reference.map(({ path: at, specifier, html }) => {
    const exported = html.split('<h2 id="not-exported"')[0] ?? "";
    const names = [...exported.matchAll(/<h3 id="([^"]+)"><code>([^<]+)<\/code>/g)].map(
      ([, id, name]) => `<li><a href="${path.posix.basename(at)}#${id}"><code>${name}</code></a></li>`,
    );
    const id = specifier.replaceAll("/", "-");
    return `<h2 id="${id}"><a href="${path.posix.basename(at)}"><code>${escapeHtml(specifier)}</code></a></h2><ul class="names">${names.join("")}</ul>`;
  });
  const html = `<h1 id="top">Reference</h1><p>Everything that can be imported, from the comments in the code.</p>${parts.join("\n")}`;
  return {
    path: "reference/index.html",
    title: "Reference",
    description: "Everything that can be imported.",
    html,
    kind: "reference",
  };
}

/** What runs in the page, in one file. */
async function script(): Promise<Uint8Array> {
  const { outputFiles } = await bundle({
    entryPoints: [fileURLToPath(new URL("browser/main.ts", import.meta.url))],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    write: false,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild wrote no script");
  return file.contents;
}
