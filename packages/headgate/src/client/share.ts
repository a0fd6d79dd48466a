/** A line to the other tabs of the same origin. */
export interface Share<Message> {
  /** Tells the other tabs. */
  post(message: Message): void;
  /** Begins to hear the other tabs. */
  listen(): void;
  /** Ends both, for good. */
  close(): void;
}

/**
 * Opens a channel between the tabs of this origin, at its first use; does nothing where there is no `BroadcastChannel`.
 *
 * @param name of the channel; `false` for none.
 * @param receive is given what other tabs post.
 */
export function openShare<Message extends object>(
  name: string | false,
  receive: (message: Message) => void,
): Share<Message> {
  let channel: BroadcastChannel | undefined;

  function open(): BroadcastChannel | undefined {
    if (!channel && name && globalThis.BroadcastChannel) {
      channel = new BroadcastChannel(name);
      // Anything of this origin may speak here, such as a tab that still runs an older version of the page.
      channel.onmessage = ({ data }) => data?.headgate1 && receive(data.headgate1);
      // In Node an open channel would keep the process alive.
      (channel as { unref?: () => void }).unref?.();
    }
    return channel;
  }

  return {
    post: (headgate1) => open()?.postMessage({ headgate1 }),
    listen: open,
    close() {
      name = false;
      channel?.close();
      channel = undefined;
    },
  };
}
