import type { Claim, KnownClaim } from "../core/claim.ts";
import type { Book } from "../reservation/book.ts";

/**
 * The ids that requests of this process are answering, and those that they have answered without the store knowing yet.
 * This is what the process knows of ids while a shared store cannot answer.
 */
export interface RunningClaims {
  add(book: Book): void;
  /** The reservation has ended, or the store knows its result. */
  remove(book: Book): void;
  find(claim: Claim): KnownClaim | undefined;
  /** The same, but only for ids that the store does not know yet. */
  findUnsent(claim: Claim): KnownClaim | undefined;
}

/** The maximum number of known ids. Beyond it, the oldest are forgotten. */
const mostClaims = 100_000;

export function createRunningClaims(): RunningClaims {
  const running = new Map<string, Book>();

  return {
    add(book) {
      if (book.claim === undefined) return;
      running.set(nameOf(book.claim), book);
      if (running.size <= mostClaims) return;
      for (const oldest of running.keys()) {
        running.delete(oldest);
        break;
      }
    },

    remove(book) {
      if (book.ended && book.isUnsent && book.claimState === "done") return;
      const name = book.claim && nameOf(book.claim);
      // Another request may have taken over.
      if (name !== undefined && running.get(name) === book) running.delete(name);
    },

    find: (claim) => known(running.get(nameOf(claim)), claim),

    findUnsent(claim) {
      if (running.size === 0) return undefined;
      const book = running.get(nameOf(claim));
      return book?.isUnsent === true ? known(book, claim) : undefined;
    },
  };
}

function known(book: Book | undefined, { fingerprint }: Claim): KnownClaim | undefined {
  if (book?.claim === undefined) return undefined;
  if (book.claim.fingerprint !== fingerprint) return { state: "conflict", result: "" };
  return { state: book.ended ? "done" : "running", result: book.result };
}

function nameOf({ space, key, id }: Claim): string {
  return JSON.stringify([space, key, id]);
}
