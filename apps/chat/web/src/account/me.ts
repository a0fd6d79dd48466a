import type { AnswerNews, Me } from "../../../contract.ts";
import { observable } from "../design/observable.ts";
import { api } from "../service/api.ts";
import { client } from "../service/client.ts";

/** Who the service takes us for; `null` until it has said so. */
export const me = observable<Me | null>(null);

let asking: Promise<Me | null> | null = null;

/**
 * Asks the service who we are, and tells the client whose limits these are. Never throws: without an answer, what was known
 * stays.
 */
export function refreshMe(): Promise<Me | null> {
  if (asking) return asking;
  const own: Promise<Me | null> = api<Me>("/me")
    .then((answer) => {
      // Asked before somebody signed in or out, it is about the last caller.
      if (asking !== own) return me.get();
      me.set(answer);
      client.setCaller(callerKey(answer));
      client.observe(answer.quota);
      return answer;
    })
    .catch(() => me.get())
    .finally(() => {
      if (asking === own) asking = null;
    });
  asking = own;
  return own;
}

/** Takes in what the end of an answer's stream says of quota and credit: nobody has to be asked. */
export function learn({ quota, credit }: AnswerNews): void {
  me.set((known) => known && { ...known, quota, credit });
  client.observe(quota);
}

/** Asks again, whatever a question that is still under way will bring. */
export function refreshMeAnew(): Promise<Me | null> {
  asking = null;
  return refreshMe();
}

/** Tells callers apart, as the service does. */
export function callerKey({ caller }: Me): string {
  return caller.kind === "anonymous" ? caller.kind : `${caller.kind} ${caller.id}`;
}
