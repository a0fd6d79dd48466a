import { connect } from "node:net";
import { attend } from "../measuring/companion.ts";
import { percentileOf } from "../measuring/figures.ts";
import { requestBy } from "./request.ts";

export interface Load {
  readonly port: number;
  readonly streams: number;
}

/** "begin" opens the streams and returns once each has sent its first byte; "end" returns once all have ended. */
export type Question = { do: "begin"; load: Load } | { do: "end" };

export interface Begun {
  readonly firstByteP50Ms: number;
  readonly firstByteP99Ms: number;
}

/** The number of callers so far: each stream has a different caller. */
let callers = 0;
let ends: Promise<void>[] = [];

attend(() => async (asked: Question): Promise<Begun | null> => {
  if (asked.do === "end") {
    await Promise.all(ends);
    return null;
  }
  const streams = Array.from({ length: asked.load.streams }, () => open(asked.load.port));
  ends = streams.map(({ ended }) => ended);
  const waitsMs = await Promise.all(streams.map(({ firstByteMs }) => firstByteMs));
  return { firstByteP50Ms: percentileOf(waitsMs, 0.5), firstByteP99Ms: percentileOf(waitsMs, 0.99) };
});

/** Sends one message, and reads the answer to its end. */
function open(port: number): { firstByteMs: Promise<number>; ended: Promise<void> } {
  const caller = callers;
  callers += 1;
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const startedMs = performance.now();
  const firstByteMs = new Promise<number>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", (chunk: Buffer) => {
      const status = chunk.toString("latin1", 0, 12);
      if (status === "HTTP/1.1 200") resolve(performance.now() - startedMs);
      else reject(new Error(`A stream began with ${status}.`));
    });
  });
  // The service closes the connection at the end of the answer.
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(requestBy(caller));
  return { firstByteMs, ended };
}
