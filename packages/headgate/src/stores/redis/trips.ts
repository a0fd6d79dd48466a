import type { Outcome } from "../../core/store.ts";
import { batch } from "../shared/batch.ts";
import type { RedisCommands } from "./commands.ts";
import { faultOf } from "./connect.ts";
import { inDoubt, mayHaveBeenApplied } from "./doubt.ts";
import { type Request, writeMessage } from "./message.ts";
import { type Answer, readReply } from "./reply.ts";
import { script, scriptSha } from "./script/index.ts";
import type { Ask } from "./slots.ts";

/** Servers do nothing else while a script runs: so many requests keep that to a fraction of a millisecond. */
const mostRequestsATrip = 64;

/**
 * Lets requests of one turn of the event loop, to one slot, travel in one call of the script.
 *
 * @param use gives the commands, or throws where the connection is known to be down.
 * @param calendarNow the time around which windows of the calendar are sent along, ms.
 */
export function createTrips(
  use: () => RedisCommands | Promise<RedisCommands>,
  calendarNow: () => number,
): Ask {
  async function send(requests: readonly Request[]): Promise<readonly Answer[]> {
    const { keys, argument } = writeMessage(requests, calendarNow());
    return readReply(requests, await run(await use(), keys, argument));
  }

  /** Only those slots for which something waits to depart. */
  const departures = new Map<number, (request: Request) => Promise<Answer>>();

  return async (slot, request) => {
    let board = departures.get(slot);
    if (board === undefined) {
      board = batch((requests: readonly Request[]) => {
        departures.delete(slot);
        return send(requests);
      }, mostRequestsATrip);
      departures.set(slot, board);
    }
    const answer: Outcome | Error = await board(request);
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

async function run(commands: RedisCommands, keys: readonly string[], argument: string): Promise<unknown> {
  try {
    return await commands.evalsha(scriptSha, keys, argument);
  } catch (error) {
    if (!isUnknownScript(error)) throw withoutCommand(error);
  }
  try {
    // By its text, whichever node of a cluster it meets: from then on that node knows it.
    return await commands.evaluate(script, keys, argument);
  } catch (error) {
    throw withoutCommand(error);
  }
}

/** After a start, SCRIPT FLUSH, a failover, or on a node of a cluster that was not asked before. */
function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && /NOSCRIPT|NoScriptError/.test(error.message);
}

/** Clients attach the command to its error, and this one's arguments name callers. */
function withoutCommand(error: unknown): Error {
  const fault = new Error(`The Redis store could not be asked: ${faultOf(error)}.`);
  return mayHaveBeenApplied(error) ? inDoubt(fault) : fault;
}
