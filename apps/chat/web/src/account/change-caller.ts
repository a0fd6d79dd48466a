import { forgetDrafts } from "../chat/drafts.ts";
import { closeConversations, endRefusals, tellSignedOut } from "../chat/sessions.ts";
import { restartConversations } from "../conversations/list.ts";
import { announce } from "../design/announcer.tsx";
import { navigate } from "../router.tsx";
import { client } from "../service/client.ts";
import { tellTabs } from "../service/tabs.ts";
import { callerKey, me, refreshMe, refreshMeAnew } from "./me.ts";

/** Loads the caller again: another tab may have signed in or out, or the session may have expired. */
export async function lookAgain(): Promise<void> {
  const before = me.get();
  if (!before) return;
  const now = await refreshMe();
  if (!now || callerKey(now) === callerKey(before)) return;
  // A refusal of the previous caller does not apply to this one.
  endRefusals();
  void restartConversations();
  if (before.caller.kind === "account") tellSignedOut();
}

/** Reloads the page for the new caller, after signing in or up. */
export async function afterSigningIn(next: string): Promise<void> {
  closeConversations();
  client.clear();
  await refreshMeAnew();
  void restartConversations();
  navigate(next);
  announce("Signed in.");
}

/** Removes the caller's data from the page, from storage and from other tabs, after signing out in this tab. */
export async function afterSigningOut(): Promise<void> {
  tellTabs({ kind: "signed-out" });
  await leave();
  announce("Signed out.");
}

/** Removes the data of the caller who has signed out. */
export async function leave(): Promise<void> {
  closeConversations();
  client.clear();
  forgetDrafts();
  navigate("/");
  void restartConversations();
  await refreshMeAnew();
}
