import { type Declaration, declarationReader, withoutComments } from "./declaration-reader.ts";

/** What a subpath of the package gives to those who import it, without comments. */
export interface Api {
  /** By exported name. */
  exported: Map<string, string>;
  /** Declarations that are named in those, and that cannot be imported. */
  reachable: Map<string, string>;
}

/**
 * Reads what a declaration file exports, and everything that this is made of.
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
