import type { OpenDatabase } from "../database/connect.ts";
import { type DatabaseTrouble, databaseTrouble } from "../database-trouble.ts";

export interface Readiness {
  /** Whether the database answers, takes what is written, and has room left. Asked once for all who ask at the same time. */
  database(): Promise<"ok" | DatabaseTrouble>;
  /** Whether the disk of an embedded database has room left; `true` for a database elsewhere, which knows by itself. */
  hasRoom(): Promise<boolean>;
}

/** Two segments of PostgreSQL's log: without room for the next, it stops. */
const LEAST_FREE_BYTES = 33_554_432;
const ANSWER_TIMEOUT_MS = 2_000;

export function createReadiness({ probe, freeBytes }: Pick<OpenDatabase, "probe" | "freeBytes">): Readiness {
  let asking: Promise<"ok" | DatabaseTrouble> | undefined;

  async function hasRoom(): Promise<boolean> {
    // A disk that cannot be asked is no reason to refuse: what is written will tell.
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
