import { forgetDrafts } from "../chat/drafts.ts";
import { closeConversations, endRefusals, tellSignedOut } from "../chat/sessions.ts";
import { restartConversations } from "../conversations/list.ts";
import { announce } from "../design/announcer.tsx";
import { navigate } from "../router.tsx";
import { client } from "../service/client.ts";
import { tellTabs } from "../service/tabs.ts";
import { callerKey, me, refreshMe, refreshMeAnew } from "./me.ts";

/** Asks again who we are: another tab may have signed in or out meanwhile, or the session may have run out. */
export async function lookAgain(): Promise<void> {
  const before = me.get();
  if (!before) return;
  const now = await refreshMe();
  if (!now || callerKey(now) === callerKey(before)) return;
  // A refusal of the last caller says nothing about this one.
  endRefusals();
  void restartConversations();
  if (before.caller.kind === "account") tellSignedOut();
}

/** Somebody has signed in or up: the whole page is read again for the new caller. */
export async function afterSigningIn(next: string): Promise<void> {
  closeConversations();
  client.clear();
  await refreshMeAnew();
  void restartConversations();
  navigate(next);
  announce("Signed in.");
}

/** Somebody has signed out, here: nothing of theirs is left on the page, in storage or in another tab. */
export async function afterSigningOut(): Promise<void> {
  tellTabs({ kind: "signed-out" });
  await leave();
  announce("Signed out.");
}

/** Leaves no trace of the one who has signed out. */
export async function leave(): Promise<void> {
  closeConversations();
  client.clear();
  forgetDrafts();
  navigate("/");
  void restartConversations();
  await refreshMeAnew();
}
