import { type Declaration, declarationReader, withoutComments } from "./declaration-reader.ts";

/** The declarations that a subpath of the package exports, without comments. */
export interface Api {
  /** The exported declarations, by name. */
  exported: Map<string, string>;
  /** Declarations that the exported declarations use and that cannot be imported. */
  reachable: Map<string, string>;
}

/**
 * Reads the exports of a declaration file, and every declaration that they use.
 *
 * @throws if a file exports what it does not declare, or declares what the reader does not understand.
 */
export function readApi(entry: string): Api {
  const { exported, reachable } = declarationReader()(entry);
  return {
    exported: new Map([...exported].map(([as, declaration]) => [as, textOf(declaration)])),
    reachable: new Map(reachable.map((declaration) => [declaration.name, textOf(declaration)])),
  };
}

function textOf({ signatures }: Declaration): string {
  return signatures.map(({ text }) => withoutComments(text)).join("\n");
}
