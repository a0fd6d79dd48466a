import type { Kind } from "../report/result.ts";
import type { Caller } from "../traffic.ts";

/** A limiter with three layers over a server, in this process. */
export interface Opened {
  visit(caller: Caller): Promise<boolean>;
}

export interface SharedContender {
  open(url: string): Promise<Opened>;
}

export interface Listed {
  readonly label: string;
  readonly kind: Kind;
  /** What it does not promise, printed beside its figures. */
  readonly note: string;
  /** Loads it alone. */
  load(): Promise<SharedContender>;
}
