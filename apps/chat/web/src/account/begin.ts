import { refreshConversations } from "../conversations/list.ts";
import { client } from "../service/client.ts";
import { onTabMessage } from "../service/tabs.ts";
import { leave, lookAgain } from "./change-caller.ts";
import { callerKey, me, refreshMe } from "./me.ts";

let begun = false;

/**
 * Loads the caller and the conversations, once, before the first paint. A shared page is for anybody, so it loads them
 * only when its reader continues to the chat.
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
