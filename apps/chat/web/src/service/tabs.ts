/** A message between tabs of this page. Quota and refusals use the client's own channel. */
export type TabMessage =
  /** The service has accepted this text, which was the draft of a conversation. */
  | { kind: "sent"; conversation: string; text: string }
  /** The user has signed out, so their data must leave the screen. */
  | { kind: "signed-out" };

const channel = globalThis.BroadcastChannel ? new BroadcastChannel("headgate.page") : null;

/** Sends a message to the other tabs. */
export function tellTabs(message: TabMessage): void {
  channel?.postMessage(message);
}

/** Calls back with messages from other tabs. */
export function onTabMessage(listener: (message: TabMessage) => void): void {
  channel?.addEventListener("message", ({ data }: MessageEvent<TabMessage | null>) => {
    // Another tab may run another version of the page.
    if (typeof data?.kind === "string") listener(data);
  });
}
