import { claimPartition } from "../../core/claim-state.ts";
import {
  adjustStates,
  decideStates,
  type KeptState,
  overrideStates,
  resetStates,
} from "../../core/partition-state.ts";
import { reasonOf } from "../../core/reason.ts";
import type { Outcome } from "../../core/store.ts";
import { type Message, readMessage, writeOutcome } from "./message.ts";

/**
 * The parts of its storage that a limiter's object uses. An object whose class is among `new_sqlite_classes` has them.
 */
export interface LimiterStorage {
  readonly sql: { exec(query: string, ...bindings: unknown[]): Iterable<Record<string, unknown>> };
  transactionSync<Answer>(run: () => Answer): Answer;
  getAlarm(): Promise<number | null>;
  setAlarm(atMs: number): Promise<void>;
}

/** The state that the runtime passes to a new object. */
export interface LimiterObjectState {
  readonly storage: LimiterStorage;
}

/** A partition as it is stored. */
interface Row {
  readonly state: string;
  /** The latest time at which the partition was decided, ms. */
  readonly seen: number;
  /** How far the partition's time is ahead of the clock, ms, because the clock was set back. */
  readonly ahead: number;
}

/** The partitions of one message, and the time at which they are decided. */
interface Found {
  readonly rows: ReadonlyMap<string, Row>;
  readonly now: number;
  readonly ahead: number;
}

/** How often partitions that are no longer needed are deleted, ms. */
const sweepEveryMs = 3_600_000;
/** How many partitions are deleted in one step, so that decisions do not wait long. */
const sweptAtOnce = 5000;
const soonMs = 1000;
/** A time longer than the memory of any layer whose windows are at most a year. */
const longestMemoryMs = 400 * 86_400_000;

/**
 * The Durable Object that keeps the counts of one limiter, in its SQLite storage. A Worker exports the class, and
 * `durableObjectStore` asks it:
 *
 * ```ts
 * export { LimiterObject } from "headgate/durable-object";
 * ```
 *
 * It decides one request at a time, over all layers, by its own clock. An alarm deletes what is no longer needed, once an hour.
 */
export class LimiterObject {
  readonly #storage: LimiterStorage;
  #hasAlarm = false;

  constructor(state: LimiterObjectState) {
    this.#storage = state.storage;
    this.#storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS headgate_partitions (space TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, " +
        "seen INTEGER NOT NULL, ahead INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (space, key))",
    );
  }

  /**
   * Answers a message of `durableObjectStore`: 200 with the outcome, or 500 with the reason. After a 500, nothing has
   * changed.
   */
  async fetch(request: { text(): Promise<string> }): Promise<Response> {
    try {
      const message = readMessage(await request.text());
      if (message.do !== "check") await this.#setAlarm();
      return new Response(writeOutcome(this.#storage.transactionSync(() => this.#apply(message))));
    } catch (error) {
      return new Response(reasonOf(error), { status: 500 });
    }
  }

  /** Deletes partitions that no longer count. Called by the runtime. */
  async alarm(): Promise<void> {
    const { sql } = this.#storage;
    const swept = [
      ...sql.exec(
        "DELETE FROM headgate_partitions WHERE rowid IN " +
          "(SELECT rowid FROM headgate_partitions WHERE until <= ? LIMIT ?) RETURNING 1",
        Date.now(),
        sweptAtOnce,
      ),
    ].length;
    this.#hasAlarm = [...sql.exec("SELECT 1 FROM headgate_partitions LIMIT 1")].length > 0;
    if (!this.#hasAlarm) return;
    await this.#storage.setAlarm(Date.now() + (swept === sweptAtOnce ? soonMs : sweepEveryMs));
  }

  #apply(message: Message): Outcome {
    const found = this.#find(message);
    const { rows, now } = found;
    const load = (space: string, key: string) => rows.get(nameOf({ space, key }))?.state;
    switch (message.do) {
      case "decide":
      case "peek": {
        const { parts, hold, claim } = message;
        const { outcome, kept } = decideStates(load, parts, now, message.do === "peek", hold, claim);
        this.#keep(kept, found);
        return outcome;
      }
      case "adjust": {
        const { outcome, kept } = adjustStates(load, message.parts, now);
        this.#keep(kept, found);
        return outcome;
      }
      case "reset":
        this.#keep(resetStates(load, message.parts, now), found);
        return { admitted: true, now, readings: [], marks: [] };
      case "override":
        this.#keep(overrideStates(load, message.parts, message.terms, now), found);
        if (message.terms === undefined) this.#forgetLater(message.parts, now);
        return { admitted: true, now, readings: [], marks: [] };
      case "check":
        return { admitted: true, now, readings: [], marks: [] };
    }
  }

  /**
   * Time never runs backwards for a partition, even if the clock is set back or the object is created again: time then
   * continues from its last value.
   */
  #find(message: Message): Found {
    const { at } = message;
    const parts = [...message.parts, ...claimsIn(message)];
    const clock = at > 0 ? at : Date.now();
    const rows = new Map<string, Row>();
    let now = clock;
    for (const part of parts) {
      const row = this.#load(part);
      if (row === undefined) continue;
      rows.set(nameOf(part), row);
      now = Math.max(now, row.seen, clock + row.ahead);
    }
    const ahead = now - clock;
    for (const part of parts) {
      const row = rows.get(nameOf(part));
      if (row !== undefined && row.ahead < ahead) this.#setAhead(part, now, ahead);
    }
    return { rows, now, ahead };
  }

  #load({ space, key }: Named): Row | undefined {
    const [row] = this.#storage.sql.exec(
      "SELECT state, seen, ahead FROM headgate_partitions WHERE space = ? AND key = ?",
      space,
      key,
    );
    return row as unknown as Row | undefined;
  }

  #setAhead({ space, key }: Named, now: number, ahead: number): void {
    this.#storage.sql.exec(
      "UPDATE headgate_partitions SET seen = ?, ahead = ? WHERE space = ? AND key = ?",
      now,
      ahead,
      space,
      key,
    );
  }

  #keep(kept: readonly KeptState[], { now, ahead }: Found): void {
    const { sql } = this.#storage;
    for (const { space, key, state, until } of kept) {
      if (state === undefined) {
        sql.exec("DELETE FROM headgate_partitions WHERE space = ? AND key = ?", space, key);
        continue;
      }
      sql.exec(
        "INSERT INTO headgate_partitions (space, key, state, seen, ahead, until) VALUES (?, ?, ?, ?, ?, ?) " +
          "ON CONFLICT (space, key) DO UPDATE SET state = excluded.state, seen = excluded.seen, " +
          "ahead = excluded.ahead, until = max(until, excluded.until)",
        space,
        key,
        state,
        now,
        ahead,
        // SQLite has no infinite integer.
        Math.min(until, Number.MAX_SAFE_INTEGER),
      );
    }
  }

  /** Keeps a partition whose override has ended only as long as a layer remembers its counts. */
  #forgetLater(parts: readonly Named[], now: number): void {
    for (const { space, key } of parts) {
      this.#storage.sql.exec(
        "UPDATE headgate_partitions SET until = min(until, ?) WHERE space = ? AND key = ?",
        now + longestMemoryMs,
        space,
        key,
      );
    }
  }

  /** Sets the alarm once in this object's life: an alarm that is already set must not be delayed. */
  async #setAlarm(): Promise<void> {
    if (this.#hasAlarm) return;
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now() + sweepEveryMs);
    this.#hasAlarm = true;
  }
}

interface Named {
  readonly space: string;
  readonly key: string;
}

/** The partitions that keep the claims named in a message. */
function claimsIn(message: Message): Named[] {
  if (message.do === "decide" && message.claim !== undefined)
    return [claimPartition(message.claim, message.claim.id)];
  if (message.do !== "adjust") return [];
  return message.parts.flatMap((part) =>
    part.claim === undefined ? [] : [claimPartition(part, part.claim.id)],
  );
}

function nameOf({ space, key }: Named): string {
  return JSON.stringify([space, key]);
}
