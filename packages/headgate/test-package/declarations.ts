import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** One statement at the top of a declaration file, as the compiler writes them. */
interface Declaration {
  name: string;
  /** Without comments, `export` and `declare`. */
  text: string;
}

/** What a declaration file says. */
interface DeclarationFile {
  declarations: Declaration[];
  /** Names that come from another file, by the name they have here. */
  imported: Map<string, { from: string; name: string }>;
  /** What others get from it, by the name they get it by. */
  exported: Map<string, { from: string | undefined; name: string }>;
}

/** What a subpath of the package gives to those who import it. */
export interface Api {
  /** By exported name. */
  exported: Map<string, string>;
  /** Declarations that are named in those, and that cannot be imported. */
  reachable: Map<string, string>;
}

/**
 * Reads what a declaration file exports, and everything that this is made of, from the files as `tsc` writes them: a
 * statement begins in the first column, and nothing else but a closing bracket does.
 *
 * @throws if a file exports what it does not declare: then this reader does not understand it.
 */
export function readApi(entry: string): Api {
  const files = new Map<string, DeclarationFile>();
  const exported = new Map<string, string>();
  const reachable = new Map<string, string>();
  const seen = new Set<string>();

  function fileAt(file: string): DeclarationFile {
    const known = files.get(file);
    if (known) return known;
    const read = readDeclarations(readFileSync(file, "utf8"));
    files.set(file, read);
    return read;
  }

  /** The file and name under which something is declared; `undefined` for what comes from another package. */
  function find(file: string, name: string): { file: string; declaration: Declaration } | undefined {
    const { declarations, imported, exported: out } = fileAt(file);
    const declaration = declarations.find((one) => one.name === name);
    if (declaration) return { file, declaration };
    const elsewhere = imported.get(name) ?? out.get(name);
    const target = elsewhere?.from && declarationFile(file, elsewhere.from);
    return target && elsewhere ? find(target, elsewhere.name) : undefined;
  }

  function follow(file: string, declaration: Declaration): void {
    for (const [name] of declaration.text.matchAll(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu)) {
      const found = find(file, name);
      if (!found || seen.has(`${found.file} ${found.declaration.name}`)) continue;
      seen.add(`${found.file} ${found.declaration.name}`);
      reachable.set(found.declaration.name, found.declaration.text);
      follow(found.file, found.declaration);
    }
  }

  const roots = [...fileAt(entry).exported].map(([as, { name, from }]) => {
    const target = from && declarationFile(entry, from);
    const found = find(target || entry, name);
    if (!found) throw new Error(`${entry} exports "${as}", which is declared nowhere`);
    seen.add(`${found.file} ${found.declaration.name}`);
    exported.set(as, found.declaration.text);
    return found;
  });
  for (const { file, declaration } of roots) follow(file, declaration);
  return { exported, reachable };
}

function readDeclarations(source: string): DeclarationFile {
  const file: DeclarationFile = { declarations: [], imported: new Map(), exported: new Map() };
  const withoutComments = source.replace(/^[ \t]*\/\*\*[\s\S]*?\*\/\n/gm, "").replace(/^\/\/.*$/gm, "");
  for (const statement of withoutComments.split(/\n(?=[a-z])/)) {
    const text = statement.trim();
    const [, kind, names, from] =
      /^(import|export)(?: type)? \{([^}]*)\}(?: from "(.*)")?;$/.exec(text) ?? [];
    if (kind) {
      for (const { name, as } of readNames(names ?? ""))
        if (kind === "export") file.exported.set(as, { from, name });
        else file.imported.set(as, { from: from ?? "", name });
      continue;
    }
    if (!text || text.startsWith("import ")) continue;
    const plain = text.replace(/^(export )?(declare )?/, "");
    const name = /^(?:abstract )?(?:function|interface|class|const|type) ([\w$]+)/.exec(plain)?.[1];
    if (!name) throw new Error(`A statement of another kind than this reader knows: ${text}`);
    const overload = file.declarations.find((one) => one.name === name);
    if (overload) overload.text += `\n${plain}`;
    else file.declarations.push({ name, text: plain });
    if (text.startsWith("export ")) file.exported.set(name, { from: undefined, name });
  }
  return file;
}

function readNames(list: string): { name: string; as: string }[] {
  return list
    .split(",")
    .map((one) => one.trim().replace(/^type /, ""))
    .filter(Boolean)
    .map((one) => {
      const [name = "", as = name] = one.split(" as ");
      return { name, as };
    });
}

/** The file that a relative import means; `undefined` for another package's. */
function declarationFile(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const file = path.join(path.dirname(from), specifier.replace(/\.[jt]sx?$/, ".d.ts"));
  return existsSync(file) ? file : undefined;
}
