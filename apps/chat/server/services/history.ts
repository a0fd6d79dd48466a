import type { ChatMessage } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { listMessages } from "../repositories/messages.ts";
import { createLine } from "./line.ts";

/** How many messages are read at once: usually a few kilobytes, a megabyte at most. */
export const MESSAGES_AT_ONCE = 25;

/** How many readers of this process read at once. */
const MOST_AT_ONCE = 4;

export interface History {
  /**
   * Yields the messages of a conversation, without answers in progress, as the JSON of a list, in pieces.
   *
   * @param show returns what the reader may see of a message. Default: all of it
   */
  json(conversationId: string, show?: (message: ChatMessage) => ChatMessage): AsyncGenerator<string>;
}

/**
 * Reads conversations in pieces, because all of a long one takes tens of megabytes and a second of the event loop. A client
 * that does not read on holds one piece, and other requests have their turn between two pieces.
 */
export function createHistory(database: Database): History {
  const readers = createLine(MOST_AT_ONCE);

  return {
    async *json(conversationId, show = (message) => message) {
      let after = -1;
      let piece = "[";
      for (;;) {
        const read = await readers.run(() =>
          listMessages(database, conversationId, { after, most: MESSAGES_AT_ONCE }),
        );
        const json = read.messages.map((message) => JSON.stringify(show(message))).join(",");
        piece += after < 0 || json === "" ? json : `,${json}`;
        if (read.last === undefined) break;
        yield piece;
        piece = "";
        after = read.last;
      }
      yield `${piece}]`;
    },
  };
}

/** Returns the JSON of an object without its end, for further members. */
export function openObject(members: object): string {
  return JSON.stringify(members).slice(0, -1);
}
