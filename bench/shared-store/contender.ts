import type { Kind } from "../report/result.ts";
import type { Caller } from "../traffic.ts";

/** An open limiter with three layers over a server, in this process. */
export interface Opened {
  visit(caller: Caller): Promise<boolean>;
}

export interface SharedContender {
  open(url: string): Promise<Opened>;
}

export interface Listed {
  readonly label: string;
  readonly kind: Kind;
  /** What the contender does not guarantee, printed next to its figures. */
  readonly note: string;
  /** Loads only this contender. */
  load(): Promise<SharedContender>;
}
