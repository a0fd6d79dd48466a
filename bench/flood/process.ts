import { type Admission, createLimiter, memoryStore } from "headgate";
import { answer } from "../measuring/child.ts";
import { heldBytes } from "../measuring/collect.ts";
import { type Watched, watchTurns } from "../measuring/turns.ts";
import { userOf } from "../traffic.ts";

export interface Task {
  readonly keys: number;
  /** The limits of the flood's callers; absent for empty turns. */
  readonly limits: string | undefined;
}

export interface Flooded extends Watched {
  readonly partitions: number;
  readonly maxPartitions: number;
  readonly refused: number;
  /** How often a refused caller was admitted. It must be 0. */
  readonly letIn: number;
  readonly residentBeforeBytes: number;
  readonly heldBytes: number;
}

const keysATurn = 100;
const turnsBetweenSpenders = 1_000;

await answer(({ keys, limits }: Task) => (limits === undefined ? idle(keys) : flood(keys, limits)));

/** Floods the memory store with distinct keys, with its default cap, while other callers are refused. */
async function flood(keys: number, limits: string): Promise<Flooded> {
  const heldBefore = heldBytes();
  const residentBeforeBytes = process.memoryUsage.rss();
  const store = memoryStore();
  const limiter = createLimiter<{ key: string; limits: string }>({
    name: "chat",
    layers: [
      {
        name: "user",
        key: ({ key }) => key,
        limits: (caller) => caller.limits,
        defaultLimits: "5/day",
        units: ["requests"],
      },
    ],
    store,
  });
  const admit = (key: string, by: string) => (limiter.admit({ key, limits: by }) as Admission).admitted;

  const spent: string[] = [];
  function spendAll(key: string): void {
    // A caller who shares a partition with others may get fewer than five admissions.
    while (admit(key, "5/day"));
    spent.push(key);
  }
  for (let count = 0; count < 100; count += 1) spendAll(`early:${count}`);

  let letIn = 0;
  const watched = await watchTurns((turn) => {
    for (let count = 0; count < keysATurn; count += 1) admit(userOf(turn * keysATurn + count), limits);
    // Callers who arrive when the store is full must also stay refused until their window ends.
    if (turn % turnsBetweenSpenders === turnsBetweenSpenders / 2) spendAll(`during:${turn}`);
    if (admit(spent[turn % spent.length] as string, "5/day")) letIn += 1;
    return (turn + 1) * keysATurn < keys;
  });
  const { partitions, maxPartitions } = store.size;
  return {
    ...watched,
    partitions,
    maxPartitions,
    refused: spent.length,
    letIn,
    residentBeforeBytes,
    heldBytes: heldBytes() - heldBefore,
  };
}

/** Runs the same number of empty turns, to measure the machine's own effect on the event loop. */
async function idle(keys: number): Promise<Flooded> {
  const residentBeforeBytes = process.memoryUsage.rss();
  const watched = await watchTurns((turn) => (turn + 1) * keysATurn < keys);
  return {
    ...watched,
    partitions: 0,
    maxPartitions: 0,
    refused: 0,
    letIn: 0,
    residentBeforeBytes,
    heldBytes: 0,
  };
}
