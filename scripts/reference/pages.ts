import { readFileSync } from "node:fs";
import path from "node:path";
import { highlight } from "../site/code.ts";
import { heading, renderMarkdown } from "../site/markdown.ts";
import { escapeHtml } from "../site/text.ts";
import { readComment } from "./comments.ts";
import { type Declaration, declarationReader, type Exports, withoutComments } from "./declarations.ts";
import { breakParameters, readMembers } from "./signatures.ts";

/** One page of the reference: what a subpath of the package exports. */
export interface ReferencePage {
  /** From the site's root. */
  readonly path: string;
  readonly specifier: string;
  readonly html: string;
}

const KINDS: readonly [title: string, kinds: readonly Declaration["kind"][]][] = [
  ["Functions", ["function"]],
  ["Classes", ["class"]],
  ["Values", ["const"]],
  ["Types", ["interface", "type"]],
];

/** Leads to a declaration from the page that is being written; `undefined` where it is on no page. */
type AddressOf = (name: string) => string | undefined;

/**
 * Writes the reference of a package from its built declarations: a page for each subpath that it exports.
 *
 * @param folder the package's folder, built
 * @throws if a declaration file is missing or cannot be understood
 */
export function referencePages(folder: string): ReferencePage[] {
  const manifest = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const read = declarationReader();
  const modules = Object.entries<{ types?: string }>(manifest.exports)
    .flatMap(([subpath, { types }]) => (types ? [{ subpath, ...read(path.join(folder, types)) }] : []))
    .sort((a, b) => (a.subpath < b.subpath ? -1 : 1))
    .map((one) => ({
      ...one,
      path: pathOf(manifest.name, one.subpath),
      specifier: manifest.name + one.subpath.slice(1),
    }));

  // A declaration that several subpaths give is told of by each that exports it; links lead to the first of them.
  const homes = new Map<Declaration, { path: string; id: string }>();
  for (const { path: page, exported } of modules)
    for (const [as, declaration] of exported)
      if (!homes.has(declaration)) homes.set(declaration, { path: page, id: as });
  const inner = new Map<string, Declaration[]>();
  for (const { path: page, reachable } of modules) {
    const own = reachable.filter((declaration) => !homes.has(declaration));
    for (const one of own) homes.set(one, { path: page, id: one.name });
    inner.set(page, own);
  }

  return modules.map((module) => {
    const named = new Map<string, Declaration>([
      ...module.reachable.map((one) => [one.name, one] as const),
      ...module.exported,
    ]);
    const addressOf: AddressOf = (name) => {
      const declaration = named.get(name);
      if (declaration === undefined) return undefined;
      if (module.exported.get(name) === declaration) return `#${name}`;
      const home = homes.get(declaration);
      if (home === undefined) return undefined;
      return home.path === module.path ? `#${home.id}` : `${path.posix.basename(home.path)}#${home.id}`;
    };
    return {
      path: module.path,
      specifier: module.specifier,
      html: pageOf(module.specifier, module, inner.get(module.path) ?? [], addressOf),
    };
  });
}

function pathOf(name: string, subpath: string): string {
  return `reference/${[name, ...subpath.split("/").slice(1)].join("-")}.html`;
}

function pageOf(
  specifier: string,
  { exported }: Exports,
  inner: Declaration[],
  addressOf: AddressOf,
): string {
  const values = [...exported].filter(([, { kind }]) => kind !== "interface" && kind !== "type");
  const names = (values.length ? values : [...exported]).map(([name]) => name);
  const import_ = `import ${values.length ? "" : "type "}{ ${names.join(", ")} } from "${specifier}";`;
  const parts = KINDS.flatMap(([title, kinds]) => {
    const ofKind = [...exported].filter(([, { kind }]) => kinds.includes(kind)).sort(byName);
    return ofKind.length ? [part(title, ofKind, addressOf)] : [];
  });
  const others = inner.map((one) => [one.name, one] as const).sort(byName);
  return [
    `<h1 id="top"><code>${escapeHtml(specifier)}</code></h1>`,
    block(breakNames(import_), () => undefined),
    ...parts,
    ...(others.length
      ? [
          heading(2, "not-exported", "Part of these", "Part of these"),
          "<p>What the above is made of. It has no name that can be imported.</p>",
          ...others.map(([name, one]) => entry(name, one, addressOf)),
        ]
      : []),
  ].join("\n");
}

function part(title: string, declarations: (readonly [string, Declaration])[], addressOf: AddressOf): string {
  const entries = declarations.map(([name, one]) => entry(name, one, addressOf)).join("\n");
  return `${heading(2, `all-${title.toLowerCase()}`, title, title)}${entries}`;
}

function entry(name: string, { kind, signatures }: Declaration, addressOf: AddressOf): string {
  const others: AddressOf = (other) => (other === name ? undefined : addressOf(other));
  const told = signatures.map(({ comment, text }) => {
    const hasMembers = kind === "interface" || kind === "class";
    const { head, members } = hasMembers ? readMembers(text) : { head: "", members: [] };
    // Where no member says anything about itself, the declaration is the better table.
    const isTable = members.some((member) => member.comment !== "");
    const code = isTable ? head : breakParameters(withoutComments(text));
    const rows = members.map(
      (member) =>
        `<dt><code>${linked(breakParameters(member.text.replace(/;$/, "")), others)}</code></dt><dd>${comment_(member.comment, others)}</dd>`,
    );
    return [
      block(code, others),
      comment_(comment, others),
      isTable ? `<dl class="members">${rows.join("\n")}</dl>` : "",
    ].join("\n");
  });
  return `<section class="declaration">${heading(3, name, `<code>${escapeHtml(name)}</code>`, name)}${told.join("\n")}</section>`;
}

function comment_(comment: string, addressOf: AddressOf): string {
  const { description, parameters, tags } = readComment(comment);
  const markdown = (text: string) => renderMarkdown(withLinks(text, addressOf), (target) => target);
  const rows = [
    ...parameters.map(({ name, text }) => [`<code>${escapeHtml(name)}</code>`, text] as const),
    ...tags.map(({ name, text }) => [TAGS[name] ?? escapeHtml(name), text] as const),
  ].map(([term, text]) => `<dt>${term}</dt><dd>${markdown(text)}</dd>`);
  return `${markdown(description)}${rows.length ? `<dl class="tags">${rows.join("\n")}</dl>` : ""}`;
}

const TAGS: Readonly<Record<string, string>> = {
  returns: "Returns",
  throws: "Throws",
  see: "See",
  default: "Default",
  deprecated: "Deprecated",
  example: "Example",
};

/** `{@link Name}` as Markdown. */
function withLinks(text: string, addressOf: AddressOf): string {
  return text.replace(/\{@link\s+([^}\s|]+)(?:[\s|]+([^}]+))?\}/g, (_, target: string, label?: string) => {
    const address = /^https?:/.test(target) ? target : addressOf(target.split(/[.#]/)[0] ?? target);
    const shown = label?.trim() ?? `\`${target}\``;
    return address ? `[${shown}](${address})` : shown;
  });
}

function block(code: string, addressOf: AddressOf): string {
  return `<div class="code"><pre tabindex="0"><code>${linked(code, addressOf)}</code></pre></div>`;
}

/** Code whose names lead to where they are declared. */
function linked(code: string, addressOf: AddressOf): string {
  return highlight(code, "typescript").replace(/<[^>]+>|&\w+;|[\p{L}_$][\p{L}\p{N}_$]*/gu, (word) => {
    // Types begin with a capital; a member that is called like a function is not that function.
    const address = /^\p{Lu}/u.test(word) ? addressOf(word) : undefined;
    return address ? `<a href="${address}">${word}</a>` : word;
  });
}

function breakNames(import_: string): string {
  if (import_.length <= 84) return import_;
  return import_.replace(
    /\{ (.*) \}/,
    (_, names: string) => `{\n    ${names.split(", ").join(",\n    ")},\n}`,
  );
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}
