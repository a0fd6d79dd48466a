import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { Application } from "typedoc";

/**
 * Writes what VitePress makes the site of: the guide, with the files of the repository that it links to; the first
 * page, from the README; the reference, from the comments in the code. With `watch`, nothing but the
 * guide, whenever a page of it changes.
 */
const root = path.join(import.meta.dirname, "..");
const library = path.join(root, "packages/headgate");
const pages = path.join(import.meta.dirname, "pages");
const text = (file: string) => readFileSync(path.join(root, file), "utf8");

if (process.argv.includes("watch")) {
  watch(path.join(root, "docs"), writeGuide);
} else {
  rmSync(pages, { recursive: true, force: true });
  mkdirSync(path.join(pages, "source"), { recursive: true });
  cpSync(path.join(root, "docs/images"), path.join(pages, "images"), { recursive: true });
  writeFileSync(path.join(pages, "index.md"), firstPage(text("README.md")));
  writeGuide();
  await writeReference();
}

function writeGuide(): void {
  for (const name of readdirSync(path.join(root, "docs")).filter((file) => file.endsWith(".md"))) {
    const guide = text(`docs/${name}`).replace(
      /\]\(\.\.\/([^)#]+?)\/?(#[^)]*)?\)/g,
      (_link, file, place = "") => {
        return `](${addressOf(file)}${place})`;
      },
    );
    writeFileSync(path.join(pages, name), guide);
  }
}

/** Where the site shows a file or folder of the repository; it is written there. @throws where there is none */
function addressOf(file: string): string {
  if (file === "packages/headgate/api") return "./reference/index.md";
  const page = `source/${file.replace(/\.md$/, "").replaceAll("/", ".")}.md`;
  writeFileSync(path.join(pages, page), sourcePage(file));
  return `./${page}`;
}

/** The README's first sentences, first example and promises: so both say the same. */
function firstPage(readme: string): string {
  const [, sentence, explanation] = readme.split("\n\n").map((part) => part.replaceAll("\n", " "));
  const example = /```ts\n[\s\S]*?\n```/.exec(readme)?.[0];
  const promises = /[^\n]*promises[^\n]*\n\n((?:- [\s\S]*?\n)+)\n/.exec(readme)?.[1];
  if (!sentence || !explanation || !example || !promises) {
    throw new Error(
      "README.md must begin with a title and two paragraphs, and have an example and a list of promises.",
    );
  }
  const actions = [
    { theme: "brand", text: "Quick start", link: "/quick-start" },
    { theme: "alt", text: "Reference", link: "/reference/" },
  ];
  const hero = JSON.stringify({ name: "Headgate", text: sentence, tagline: explanation, actions });
  return `---\nlayout: home\nhero: ${hero}\n---\n\n\`\`\`sh\nnpm install headgate\n\`\`\`\n\n${example}\n\n## What it promises\n\n${withoutLinks(promises)}\n`;
}

function sourcePage(file: string): string {
  const at = path.join(root, file);
  const title = `# ${path.basename(file)}\n\n\`${file}\`\n\n`;
  if (statSync(at).isDirectory()) {
    return `${title}${readdirSync(at)
      .map((name) => `- \`${name}\`\n`)
      .join("")}`;
  }
  if (file.endsWith(".md")) return withoutLinks(text(file));
  return `${title}\`\`\`${path.extname(file).slice(1)}\n${text(file)}\n\`\`\`\n`;
}

/** Links and pictures of a page that is read elsewhere lead nowhere: their words stay. */
function withoutLinks(markdown: string): string {
  return markdown
    .replace(/!\[[^\]]*\]\((?!https?:)[^)]*\)/g, "")
    .replace(/\[([^\]]+)\]\((?!https?:)[^)]*\)/g, "$1");
}

async function writeReference(): Promise<void> {
  const { name, exports } = JSON.parse(text("packages/headgate/package.json"));
  const sources = Object.entries<{ "headgate-source"?: string }>(exports).flatMap(
    ([subpath, { "headgate-source": source }]) =>
      source ? [{ source, specifier: path.posix.join(name, subpath) }] : [],
  );
  const typedoc = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: sources.map(({ source }) => path.join(library, source)),
    tsconfig: path.join(import.meta.dirname, "tsconfig.reference.json"),
    outputs: [{ name: "markdown", path: path.join(pages, "reference") }],
    readme: "none",
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    ...{ outputFileStrategy: "modules", entryFileName: "index", hidePageHeader: true, hideBreadcrumbs: true },
  });
  const project = await typedoc.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the library: see above.");
  for (const { source, specifier } of sources) {
    // TypeDoc calls a module after its file: "adapters/hono" of src/adapters/hono.ts, "http" of src/http/index.ts.
    const called = source.replace("./src/", "").replace(/(\/index)?\.ts$/, "");
    const module = project.children?.find((child) => child.name === called);
    if (module === undefined) throw new Error(`TypeDoc has no module "${called}" for ${specifier}.`);
    module.name = specifier;
  }
  await typedoc.generateOutputs(project);
}
