import type { Me } from "../../../contract.ts";
import { forgetDrafts } from "../chat/drafts.ts";
import { closeConversations, tellSignedOut } from "../chat/sessions.ts";
import { restartConversations } from "../conversations/list.ts";
import { announce } from "../design/announcer.tsx";
import { navigate } from "../router.tsx";
import { client } from "../service/client.ts";
import { me, refreshMe } from "./me.ts";

/** Asks again who we are: another tab may have signed in or out meanwhile, or the session may have run out. */
export async function lookAgain(): Promise<void> {
  const before = me.get();
  if (!before) return;
  const now = await refreshMe();
  if (!now || callerKey(now) === callerKey(before)) return;
  void restartConversations();
  if (before.caller.kind !== "account") return;
  tellSignedOut();
}

function callerKey({ caller }: Me): string {
  return caller.kind === "anonymous" ? caller.kind : `${caller.kind} ${caller.id}`;
}

/** Somebody has signed in or out: everything on the page is read anew for whoever it is now. */
export async function changeCaller(event: "signed-in" | "signed-out", next = "/"): Promise<void> {
  closeConversations();
  // A refusal of the last caller says nothing about this one.
  client.clear();
  if (event === "signed-out") forgetDrafts();
  await refreshMe();
  void restartConversations();
  navigate(next);
  announce(event === "signed-in" ? "Signed in." : "Signed out.");
}
