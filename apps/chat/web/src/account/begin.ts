import { refreshConversations } from "../conversations/list.ts";
import { client } from "../service/client.ts";
import { refreshMe } from "./me.ts";

let begun = false;

/**
 * Asks, once, who we are and what conversations there are. Before the first paint, except on a shared page: that is for
 * anybody, and asks nothing about its reader until they go on to ask something themselves.
 */
export function beginAsCaller(): void {
  if (begun) return;
  begun = true;
  void refreshMe().then((known) => {
    if (known) client.observe(known.quota);
  });
  void refreshConversations();
}
