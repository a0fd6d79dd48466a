/** A channel to the other tabs of the same origin. */
export interface Share<Message> {
  /** Sends a message to the other tabs. */
  post(message: Message): void;
  /** Starts to receive messages from the other tabs. */
  listen(): void;
  /** Closes the channel permanently. */
  close(): void;
}

/**
 * Opens a channel between the tabs of this origin on first use. Does nothing without `BroadcastChannel`.
 *
 * @param name the name of the channel; `false` for none.
 * @param receive called with the messages of other tabs.
 */
export function openShare<Message extends object>(
  name: string | false,
  receive: (message: Message) => void,
): Share<Message> {
  let channel: BroadcastChannel | undefined;

  function open(): BroadcastChannel | undefined {
    if (!channel && name && globalThis.BroadcastChannel) {
      channel = new BroadcastChannel(name);
      // Any code of this origin may send here, such as a tab with an older version of the page.
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
