import { DatabaseSync } from "node:sqlite";
import {
  type LimiterNamespace,
  LimiterObject,
  type LimiterStorage,
} from "../headgate/src/stores/durable-object/index.ts";

/**
 * A namespace of simulated Durable Objects in this process, each with an SQLite database in memory. `npm run
 * test:runtimes` tests real ones.
 */
export interface LocalNamespace extends LimiterNamespace {
  /** By name. */
  readonly objects: ReadonlyMap<string, LocalObject>;
}

export interface LocalObject {
  /** When the runtime would call `alarm`; `null` if it would not. */
  alarmAt(): number | null;
  /** Calls it. */
  alarm(): Promise<void>;
  /** How many partitions are kept. */
  partitions(): number;
  /** Recreates the object from its storage, as the runtime does after it was idle. */
  evict(): void;
}

export function localNamespace(): LocalNamespace {
  const objects = new Map<string, LocalObject & { fetch(request: Request): Promise<Response> }>();
  return {
    objects,
    idFromName: (name) => ({ name }),
    get(id) {
      const { name } = id as { name: string };
      const object = objects.get(name) ?? localObject();
      objects.set(name, object);
      return { fetch: (url, init) => object.fetch(new Request(url, init)) };
    },
  };
}

function localObject(): LocalObject & { fetch(request: Request): Promise<Response> } {
  const database = new DatabaseSync(":memory:");
  let alarmAt: number | null = null;
  const storage: LimiterStorage = {
    sql: {
      exec: (query, ...bindings) => database.prepare(query).all(...(bindings as (string | number)[])),
    },
    transactionSync(run) {
      database.exec("BEGIN");
      try {
        const answer = run();
        database.exec("COMMIT");
        return answer;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    getAlarm: async () => alarmAt,
    async setAlarm(atMs) {
      alarmAt = atMs;
    },
  };
  let object = new LimiterObject({ storage });
  return {
    fetch: (request) => object.fetch(request),
    alarmAt: () => alarmAt,
    async alarm() {
      alarmAt = null;
      await object.alarm();
    },
    partitions: () => Number(database.prepare("SELECT count(*) AS n FROM headgate_partitions").get()?.n),
    evict() {
      object = new LimiterObject({ storage });
    },
  };
}
