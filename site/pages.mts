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
 * Writes the pages for VitePress: the guide, with the files of the repository to which it links; the first page, from
 * the README; and the reference, from the doc comments. With `watch`, writes only the guide, whenever one of its pages
 * changes.
 */
const root = path.join(import.meta.dirname, "..");
const library = path.join(root, "packages/headgate");
const pages = path.join(import.meta.dirname, "pages");
const text = (file: string) => readFileSync(path.join(root, file), "utf8");

/** Pages from files outside `docs/`. */
const shared: Record<string, { page: string; title: string }> = {
  "CHANGELOG.md": { page: "changelog", title: "Changelog" },
  "SECURITY.md": { page: "security", title: "Security" },
  LICENSE: { page: "licence", title: "Licence" },
};

if (process.argv.includes("watch")) {
  watch(path.join(root, "docs"), writeGuide);
} else {
  rmSync(pages, { recursive: true, force: true });
  mkdirSync(path.join(pages, "source"), { recursive: true });
  cpSync(path.join(root, "docs/images"), path.join(pages, "images"), { recursive: true });
  writeFileSync(path.join(pages, "index.md"), landingPage(text("README.md")));
  writeShared();
  writeGuide();
  await writeReference();
}

function writeGuide(): void {
  for (const name of readdirSync(path.join(root, "docs")).filter((file) => file.endsWith(".md"))) {
    const guide = withTabs(text(`docs/${name}`)).replace(
      /\]\(\.\.\/([^)#]+?)\/?(#[^)]*)?\)/g,
      (_link, file, place = "") => {
        return `](${addressOf(file)}${place})`;
      },
    );
    writeFileSync(path.join(pages, name), guide);
  }
}

/**
 * Examples between `<!-- tabs -->` and `<!-- /tabs -->` become tabs. Each example has its name in bold on a line before
 * it, for readers in the repository.
 */
function withTabs(markdown: string): string {
  return markdown.replace(/^<!-- tabs -->$([\s\S]*?)^<!-- \/tabs -->$/gm, (_part, examples: string) => {
    const tabs = [...examples.matchAll(/^\*\*(.+)\*\*$[\s\S]*?^```(\w+).*\n([\s\S]*?)^```$/gm)];
    if (tabs.length < 2) throw new Error(`Tabs need two examples with names:\n${examples}`);
    const fences = tabs.map(([, name, language, code]) => `\`\`\`${language} [${name}]\n${code}\`\`\`\n`);
    return `::: code-group\n\n${fences.join("\n")}\n:::`;
  });
}

function writeShared(): void {
  for (const [file, { page, title }] of Object.entries(shared)) {
    const content = file.endsWith(".md") ? withoutLinks(text(file)) : `# ${title}\n\n${text(file)}`;
    writeFileSync(path.join(pages, `${page}.md`), content);
  }
}

/**
 * Writes a page for a file or folder of the repository. @returns the page's address @throws if the file does not exist
 */
function addressOf(file: string): string {
  if (file === "packages/headgate/api") return "./reference/index.md";
  if (shared[file]) return `./${shared[file].page}.md`;
  const page = `source/${file.replace(/\.md$/, "").replaceAll("/", ".")}.md`;
  writeFileSync(path.join(pages, page), sourcePage(file));
  return `./${page}`;
}

/** Returns the landing page, from the README: the description, the first example, a refusal, and what sets it apart. */
function landingPage(readme: string): string {
  const [, sentence, explanation] = readme.split("\n\n").map((part) => part.replaceAll("\n", " "));
  const example = /```ts\n[\s\S]*?\n```/.exec(readme)?.[0];
  const refusal = /```http\n[\s\S]*?\n```/.exec(readme)?.[0];
  const claims = /## What sets it apart\n\n([\s\S]*?)\n## /.exec(readme)?.[1];
  if (!sentence || !explanation || !example || !refusal || !claims) {
    throw new Error(
      'README.md must begin with a title and two paragraphs, and have an example, a refusal, and "What sets it apart".',
    );
  }
  return `---
layout: page
sidebar: false
title: Headgate
titleTemplate: Rate limits for expensive endpoints, in TypeScript
---

<div class="landing vp-doc">
<div class="landing-words">

# Headgate

<div class="landing-lead">

${withoutLinks(sentence)}

${withoutLinks(explanation)}

</div>

<div class="landing-links">

[Quick start](./quick-start.md)
[On your framework](./frameworks.md)
[Reference](./reference/index.md)

</div>
</div>
<div class="landing-code">

${example}

${refusal}

</div>
</div>
<div class="landing-rest vp-doc">

## What sets it apart

${withoutLinks(claims)}
</div>
`;
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

/** Replaces relative links and pictures, which would be dead on the site, by their text. */
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
    // TypeDoc names a module after its file: "adapters/hono" of src/adapters/hono.ts, "http" of src/http/index.ts.
    const called = source.replace("./src/", "").replace(/(\/index)?\.ts$/, "");
    const module = project.children?.find((child) => child.name === called);
    if (module === undefined) throw new Error(`TypeDoc has no module "${called}" for ${specifier}.`);
    module.name = specifier;
  }
  await typedoc.generateOutputs(project);
}
