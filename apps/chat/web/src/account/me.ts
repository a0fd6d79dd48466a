import type { AnswerNews, Me } from "../../../contract.ts";
import { observable } from "../design/observable.ts";
import { api } from "../service/api.ts";
import { client } from "../service/client.ts";

/** The caller, according to the service; `null` until it has answered. */
export const me = observable<Me | null>(null);

let asking: Promise<Me | null> | null = null;

/**
 * Loads the caller from the service, and sets it in the client. Never throws: on failure, the known caller stays.
 */
export function refreshMe(): Promise<Me | null> {
  if (asking) return asking;
  const own: Promise<Me | null> = api<Me>("/me")
    .then((answer) => {
      // This request was sent before a change of caller, so its result is about the previous caller.
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

/** Updates quota and credit from the end of an answer's stream, without another request. */
export function learn({ quota, credit }: AnswerNews): void {
  me.set((known) => known && { ...known, quota, credit });
  client.observe(quota);
}

/** Loads the caller again, and ignores a request that is still in flight. */
export function refreshMeAnew(): Promise<Me | null> {
  asking = null;
  return refreshMe();
}

/** Returns a key that identifies the caller, as the service does. */
export function callerKey({ caller }: Me): string {
  return caller.kind === "anonymous" ? caller.kind : `${caller.kind} ${caller.id}`;
}
