import type { ChatMessage } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { listMessages } from "../repositories/messages.ts";
import { createLine } from "./line.ts";

/** How many messages are read in one query: usually a few kilobytes, at most a megabyte. */
export const MESSAGES_AT_ONCE = 25;

/** How many readers of this process may run a query at the same time. */
const MOST_AT_ONCE = 4;

export interface History {
  /**
   * Yields the messages of a conversation, without answers in progress, as the JSON of a list, in pieces.
   *
   * @param show returns the part of a message that the reader may see. Default: the whole message
   */
  json(conversationId: string, show?: (message: ChatMessage) => ChatMessage): AsyncGenerator<string>;
}

/**
 * Reads conversations in pieces, because a long conversation takes tens of megabytes and a second of the event loop. If
 * a client stops reading, only one piece is in memory. Other requests have their turn between two pieces.
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
