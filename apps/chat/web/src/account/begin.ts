import { refreshConversations } from "../conversations/list.ts";
import { client } from "../service/client.ts";
import { onTabMessage } from "../service/tabs.ts";
import { leave, lookAgain } from "./change-caller.ts";
import { callerKey, me, refreshMe } from "./me.ts";

let begun = false;

/**
 * Asks, once, who we are and what conversations there are. Before the first paint, except on a shared page: that is for
 * anybody, and asks nothing about its reader until they go on to ask something themselves.
 */
export function beginAsCaller(): void {
  if (begun) return;
  begun = true;
  void refreshMe();
  void refreshConversations();
  onTabMessage(({ kind }) => {
    if (kind === "signed-out") void leave();
  });
  // Another tab says that somebody else is calling.
  client.subscribe(() => {
    const known = me.get();
    if (known && client.caller() !== callerKey(known)) void lookAgain();
  });
}
