import type { Me } from "../../../contract.ts";
import { observable } from "../design/observable.ts";
import { api } from "../service/api.ts";

/** Who the service takes us for; `null` until it has said so. */
export const me = observable<Me | null>(null);

let asking: Promise<Me | null> | null = null;

/** Asks the service who we are. Never throws: without an answer, what was known stays. */
export function refreshMe(): Promise<Me | null> {
  asking ??= api<Me>("/me")
    .then((answer) => {
      me.set(answer);
      return answer;
    })
    .catch(() => me.get())
    .finally(() => {
      asking = null;
    });
  return asking;
}
