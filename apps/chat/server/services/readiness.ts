import type { OpenDatabase } from "../database/connect.ts";
import { type DatabaseTrouble, databaseTrouble } from "../database-trouble.ts";

export interface Readiness {
  /** Whether a request was refused within the last seconds because all connections to the database were in use. */
  isBusy(): boolean;
  /** Checks whether the database answers, accepts writes and has room. Simultaneous calls share one check. */
  database(): Promise<"ok" | DatabaseTrouble>;
  /** Checks whether the disk of an embedded database has room; always `true` for a database server. */
  hasRoom(): Promise<boolean>;
}

/** Two segments of PostgreSQL's write-ahead log. Without room for the next segment, PostgreSQL stops. */
const LEAST_FREE_BYTES = 33_554_432;
const ANSWER_TIMEOUT_MS = 2_000;

export function createReadiness({
  probe,
  isBusy,
  freeBytes,
}: Pick<OpenDatabase, "probe" | "isBusy" | "freeBytes">): Readiness {
  let asking: Promise<"ok" | DatabaseTrouble> | undefined;

  async function hasRoom(): Promise<boolean> {
    // If the free space is unknown, report that there is room: a failed write will show a full disk.
    const free = await freeBytes().catch(() => undefined);
    return free === undefined || free >= LEAST_FREE_BYTES;
  }

  async function ask(): Promise<"ok" | DatabaseTrouble> {
    if (!(await hasRoom())) return "full";
    return probe().then(
      () => "ok" as const,
      (error: unknown) => databaseTrouble(error) ?? "unreachable",
    );
  }

  return {
    isBusy,
    hasRoom,
    database() {
      asking ??= inTime(ask()).finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}

async function inTime(answer: Promise<"ok" | DatabaseTrouble>): Promise<"ok" | DatabaseTrouble> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<DatabaseTrouble>((resolve) => {
    timer = setTimeout(() => resolve("unreachable"), ANSWER_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
