import type { Claim, KnownClaim } from "../core/claim.ts";
import type { Book } from "../reservation/book.ts";

/** The ids that requests of this process are answering: what it knows of ids while a shared store cannot answer. */
export interface RunningClaims {
  add(book: Book): void;
  remove(book: Book): void;
  find(claim: Claim): KnownClaim | undefined;
}

/** As many as there are reservations that have not ended. */
export function createRunningClaims(): RunningClaims {
  const running = new Map<string, Book>();

  return {
    add(book) {
      if (book.claim !== undefined) running.set(nameOf(book.claim), book);
    },

    remove(book) {
      const name = book.claim && nameOf(book.claim);
      // Another may have taken over.
      if (name !== undefined && running.get(name) === book) running.delete(name);
    },

    find(claim) {
      const known = running.get(nameOf(claim))?.claim;
      if (known === undefined) return undefined;
      const { fingerprint, result } = known;
      return fingerprint === claim.fingerprint
        ? { state: "running", result }
        : { state: "conflict", result: "" };
    },
  };
}

function nameOf({ space, key, id }: Claim): string {
  return JSON.stringify([space, key, id]);
}
