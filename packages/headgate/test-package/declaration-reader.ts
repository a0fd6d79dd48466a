import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** One function, class, type or value, as the compiler declares it. */
export interface Declaration {
  readonly name: string;
  readonly kind: "function" | "class" | "const" | "interface" | "type";
  /** The signature, or one for each overload, without `export` and `declare`. */
  readonly signatures: { readonly comment: string; readonly text: string }[];
  readonly file: string;
}

/** What a module exports. */
export interface Exports {
  /** The exported declarations, by name. */
  readonly exported: Map<string, Declaration>;
  /** The declarations that the exported declarations use and that this module does not export. */
  readonly reachable: Declaration[];
}

interface DeclarationFile {
  readonly declarations: Map<string, Declaration>;
  readonly imported: Map<string, Origin>;
  readonly exported: Map<string, Origin>;
}

interface Origin {
  /** Absent for declarations of the file itself. */
  readonly from: string | undefined;
  readonly name: string;
}

/**
 * Reads declaration files as `tsc` writes them: a statement begins with a letter in the first column, and its doc
 * comment is before it.
 *
 * @returns a function that lists the exports of an entry file. It throws for an export without a declaration.
 */
export function declarationReader(): (entry: string) => Exports {
  const files = new Map<string, DeclarationFile>();

  function fileAt(file: string): DeclarationFile {
    const known = files.get(file) ?? readDeclarations(file, readFileSync(file, "utf8"));
    files.set(file, known);
    return known;
  }

  function find(file: string, name: string): Declaration | undefined {
    const { declarations, imported, exported } = fileAt(file);
    const declared = declarations.get(name);
    if (declared) return declared;
    const origin = imported.get(name) ?? exported.get(name);
    const target = origin?.from && declarationFile(file, origin.from);
    return target && origin ? find(target, origin.name) : undefined;
  }

  return (entry) => {
    const exported = new Map<string, Declaration>();
    for (const [as, { name, from }] of fileAt(entry).exported) {
      const found = find((from && declarationFile(entry, from)) || entry, name);
      if (!found) throw new Error(`${entry} exports "${as}", which is declared nowhere`);
      exported.set(as, found);
    }
    const seen = new Set(exported.values());
    const pending = [...seen];
    for (let next = pending.pop(); next; next = pending.pop()) {
      for (const name of namesIn(next)) {
        const found = find(next.file, name);
        if (!found || seen.has(found)) continue;
        seen.add(found);
        pending.push(found);
      }
    }
    return { exported, reachable: [...seen].slice(exported.size) };
  };
}

function* namesIn({ signatures }: Declaration): Iterable<string> {
  for (const { text } of signatures)
    for (const [name] of withoutComments(text).matchAll(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu)) yield name;
}

/** Returns the text of a declaration without its comments. */
export function withoutComments(text: string): string {
  return text.replace(/^[ \t]*\/\*\*[\s\S]*?\*\/\n/gm, "");
}

/** @throws for a statement of an unknown kind, instead of leaving it out */
export function readDeclarations(file: string, source: string): DeclarationFile {
  const read: DeclarationFile = { declarations: new Map(), imported: new Map(), exported: new Map() };
  for (const { comment, text } of statements(source)) {
    const [, kind, names, from] =
      /^(import|export)(?: type)? \{([^}]*)\}(?: from "(.*)")?;$/.exec(text) ?? [];
    if (kind) {
      const origins = kind === "export" ? read.exported : read.imported;
      for (const [as, name] of listedNames(names ?? "")) origins.set(as, { from, name });
      continue;
    }
    if (text.startsWith("import ")) continue;
    const plain = text.replace(/^(export )?(declare )?/, "");
    const [, word, name] = /^(?:abstract )?(function|interface|class|const|type) ([\w$]+)/.exec(plain) ?? [];
    if (!word || !name) throw new Error(`${file}: a statement of an unknown kind: ${text}`);
    const signature = { comment, text: plain };
    const overloaded = read.declarations.get(name);
    if (overloaded) overloaded.signatures.push(signature);
    else
      read.declarations.set(name, { name, kind: word as Declaration["kind"], signatures: [signature], file });
    if (text.startsWith("export ")) read.exported.set(name, { from: undefined, name });
  }
  return read;
}

function statements(source: string): { comment: string; text: string }[] {
  const found: { comment: string; text: string }[] = [];
  let comment: string[] = [];
  let isInComment = false;
  for (const line of source.split("\n")) {
    if (line.startsWith("//")) continue;
    if (isInComment || line.startsWith("/**")) {
      if (!isInComment) comment = [];
      comment.push(line);
      isInComment = !line.includes("*/");
      continue;
    }
    const last = found.at(-1);
    if (/^[a-z]/.test(line)) found.push({ comment: comment.join("\n"), text: line });
    // A comment in the first column can also stand between the members of a union.
    else if (last) last.text += `\n${[...comment, line].join("\n")}`;
    comment = [];
  }
  return found.map(({ comment, text }) => ({ comment, text: text.trim() }));
}

function listedNames(list: string): [as: string, name: string][] {
  return list
    .split(",")
    .map((one) => one.trim().replace(/^type /, ""))
    .filter(Boolean)
    .map((one) => {
      const [name = "", as = name] = one.split(" as ");
      return [as, name];
    });
}

/** Returns the declaration file of an import; `undefined` for an import of another package. */
function declarationFile(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const file = path.join(path.dirname(from), specifier.replace(/\.[jt]sx?$/, ".d.ts"));
  return existsSync(file) ? file : undefined;
}
