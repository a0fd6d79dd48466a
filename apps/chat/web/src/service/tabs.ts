/** What the tabs of this page tell each other; quota and refusals go by the client's own channel. */
export type TabMessage =
  /** The service has taken this text, which was the draft of a conversation. */
  | { kind: "sent"; conversation: string; text: string }
  /** Somebody has signed out, and wants nothing of theirs left on the screen. */
  | { kind: "signed-out" };

const channel = globalThis.BroadcastChannel ? new BroadcastChannel("headgate.page") : null;

/** Tells the other tabs. */
export function tellTabs(message: TabMessage): void {
  channel?.postMessage(message);
}

/** Calls back with what the other tabs tell. */
export function onTabMessage(listener: (message: TabMessage) => void): void {
  channel?.addEventListener("message", ({ data }: MessageEvent<TabMessage | null>) => {
    // A tab may still run another version of the page.
    if (typeof data?.kind === "string") listener(data);
  });
}
