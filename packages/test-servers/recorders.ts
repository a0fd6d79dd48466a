import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { compileLimits } from "../headgate/src/core/limit-set.ts";
import type { Outcome } from "../headgate/src/core/store.ts";
import type { Place } from "../headgate/src/testing/model/model-store.ts";
import type { RecordedCall } from "../headgate/src/testing/model/recorded.ts";
import type { RecorderOptions } from "./recorder.ts";
import { sharedClock } from "./recording.ts";

const program = fileURLToPath(new URL("./recorder.ts", import.meta.url));

interface Recorder {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly file: string;
}

/** Processes that use one store at the same time, and record what they ask and what it answers. */
export interface Recorders {
  readonly places: readonly Place[];
  /** Lets every process play some steps at this time of the store. Resolves when they have, or were killed. */
  round(now: number, steps: number): Promise<void>;
  /** Kills a process, and starts another in its place. */
  kill(n: number): Promise<void>;
  /** Resolves once no process awaits an answer any more. */
  settle(): Promise<void>;
  /** From now on, no call that was sent before can arrive. */
  close(): void;
  /** Adds a call that the test itself made, or a crash. */
  add(call: RecordedCall): void;
  /** All calls so far. */
  calls(): RecordedCall[];
  remove(): Promise<void>;
}

export async function startRecorders(
  count: number,
  options: Omit<RecorderOptions, "process" | "file">,
): Promise<Recorders> {
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-recorders-"));
  const places = options.places.map((place) => ({
    ...place,
    limits: compileLimits(place.space, place.limits),
  }));
  const files: string[] = [];
  const killed = new Set<string>();
  const added: RecordedCall[] = [];
  const closings: number[] = [];

  async function start(): Promise<Recorder> {
    const file = path.join(folder, `${files.length}`);
    files.push(file);
    const words = { ...options, process: files.length, seed: options.seed + files.length, file };
    const child = spawn(
      process.execPath,
      ["--conditions=headgate-source", program, JSON.stringify(words satisfies RecorderOptions)],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const recorder = { child, lines, file };
    await expectLine(recorder, "ready").catch(async (error) => {
      await end(recorder);
      throw error;
    });
    return recorder;
  }

  async function expectLine({ child, lines }: Recorder, wanted: string): Promise<void> {
    const { value, done } = await lines.next();
    if (done && child.killed) return;
    if (value !== wanted) throw new Error(`A recorder said ${value} instead of ${wanted}.`);
  }

  async function end({ child }: Recorder): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  const recorders = await Promise.all(Array.from({ length: count }, start));

  async function tell(command: unknown, answer: string): Promise<void> {
    await Promise.all(
      [...recorders].map(async (recorder) => {
        recorder.child.stdin?.write(`${JSON.stringify(command)}\n`);
        await expectLine(recorder, answer);
      }),
    );
  }

  function callsOf(file: string): RecordedCall[] {
    const calls = new Map<number, RecordedCall | undefined>();
    for (const line of readFileSync(file, "utf8").split("\n")) {
      if (line === "") continue;
      const { n, at, call, outcome } = JSON.parse(line, (_, value) =>
        value === "∞" ? Number.POSITIVE_INFINITY : value,
      ) as { n: number; at: number; call?: RecordedCall; outcome?: Outcome | "not applied" };
      if (call !== undefined) calls.set(n, { ...withLimits(call), endedAt: Number.POSITIVE_INFINITY });
      else if (outcome === "not applied") calls.set(n, undefined);
      else calls.set(n, { ...(calls.get(n) as RecordedCall), endedAt: at, ...(outcome && { outcome }) });
    }
    return [...calls.values()]
      .filter((call) => call !== undefined)
      .map((call) => (killed.has(file) ? { ...call, orphaned: true } : call));
  }

  function withLimits(call: RecordedCall): RecordedCall {
    const complete = <One extends { space: string; key: string }>(one: One) => {
      const place = places.find(({ space, key }) => space === one.space && key === one.key) as Place;
      return { ...one, limits: place.limits };
    };
    if (call.kind === "decide") return { ...call, charges: call.charges.map(complete) };
    return call.kind === "adjust" ? { ...call, adjustments: call.adjustments.map(complete) } : call;
  }

  return {
    places,
    round: (now, steps) => tell([now, steps], "played"),
    async kill(n) {
      killed.add((recorders[n] as Recorder).file);
      await end(recorders[n] as Recorder);
      recorders[n] = await start();
    },
    settle: () => tell("settle", "settled"),
    close() {
      closings.push(sharedClock());
    },
    add: (call) => void added.push(call),
    calls() {
      return [...files.flatMap(callsOf), ...added].map((call) => {
        if (call.endedAt !== Number.POSITIVE_INFINITY) return call;
        return { ...call, endedAt: closings.find((at) => at > call.sentAt) ?? call.endedAt };
      });
    },
    async remove() {
      await Promise.all(recorders.map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
