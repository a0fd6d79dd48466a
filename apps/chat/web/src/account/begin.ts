import { refreshConversations } from "../conversations/list.ts";
import { client } from "../service/client.ts";
import { onTabMessage } from "../service/tabs.ts";
import { leave, lookAgain } from "./change-caller.ts";
import { callerKey, me, refreshMe } from "./me.ts";

let begun = false;

/**
 * Loads the caller and the conversations, once, before the first paint. A shared page does not do so, because it is for
 * anybody; it loads them only when its reader goes on to ask a question.
 */
export function beginAsCaller(): void {
  if (begun) return;
  begun = true;
  void refreshMe();
  void refreshConversations();
  onTabMessage(({ kind }) => {
    if (kind === "signed-out") void leave();
  });
  // Another tab reports another caller.
  client.subscribe(() => {
    const known = me.get();
    if (known && client.caller() !== callerKey(known)) void lookAgain();
  });
}
