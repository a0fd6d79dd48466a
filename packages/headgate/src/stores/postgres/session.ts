import { HeadgateError } from "../../core/errors.ts";
import type { SharedText } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { processLifeMs } from "../shared/presence.ts";
import { type Connection, type Statement, statementMs } from "./connect.ts";
import { mayHaveBeenApplied } from "./doubt.ts";
import type { ApplyParameters } from "./encode.ts";
import { giveUpAfter } from "./give-up.ts";
import { postgresMigration } from "./migration.ts";
import { functionsVersion, namesIn, smallHash } from "./sql/names.ts";

export interface SessionOptions {
  readonly schema: string;
  readonly unlogged: boolean;
  readonly migrate: boolean;
  readonly prepare: boolean;
}

/** Runs the functions, creates them if they are missing, and repeats calls that can be repeated. */
export interface Session {
  /** Resolves with the answers as text. Rejects with an `inDoubt` error if the call may have been applied. */
  apply(parameters: ApplyParameters): Promise<string>;
  /** Like `apply`, for one request that only renews holds. */
  renew(parameters: ApplyParameters): Promise<string>;
  /** Like `apply`, but first checks that the tables are writable. Most calls do not need this. */
  applyWhereWritable(parameters: ApplyParameters): Promise<string>;
  /** @param parameters the parameters of the `claim` function. */
  claim(parameters: readonly (string | null)[]): Promise<string>;
  /** @param parameters the parameters of the `adjust_claims` function. */
  adjustClaims(parameters: readonly (string | null)[]): Promise<string>;
  /** @param parameters the parameters of the `override` function. */
  override(parameters: readonly (string | null)[]): Promise<void>;
  /** Deletes expired counts, or expired reservations. */
  sweep(
    table: "partitions" | "holds",
    firstPage: number,
    at: number | null,
  ): Promise<{ nextPage: number; deleted: number; full: boolean }>;
  /** Records that a process is alive, as a row without counts, and resolves with the number of live processes. */
  countProcesses(partitionId: string, processId: string, at: number | null): Promise<number>;
  /** Resolves with the text that a limiter's processes share, or with `undefined` if its version equals `version`. */
  readShared(limiter: string, version: number): Promise<SharedText | undefined>;
  /** Replaces the text if its version still equals `version`. Resolves with whether it did. */
  writeShared(limiter: string, version: number, next: SharedText): Promise<boolean>;
  close(): Promise<void>;
}

const readOnly = "25006";
/** Undefined function, schema, table and type. */
const missing = new Set(["42883", "3F000", "42P01", "42704"]);
/** Serialization failure and deadlock: nothing has been done. */
const transient = new Set(["40001", "40P01"]);
const mostAttempts = 12;
/** Unknown and duplicate prepared statement: nothing has been done. */
const unprepared = new Set(["26000", "42P05"]);

/** A migration may have to wait for another process's migration. */
const migrationMs = 60_000;

/** One sweep covers 1/60 of the table, but at least this many pages, and deletes at most this many rows. */
const sweepShare = 60;
const sweepFewestPages = 64;
const sweepMostRows = 1000;

/** @param connect called when the connection is first needed, and again after it failed. */
export function openSession(connect: () => Promise<Connection>, options: SessionOptions): Session {
  const { schema, unlogged, migrate, prepare } = options;
  const { fn, table, textsTable } = namesIn(schema);
  // Named after the schema too: stores of two schemas may share a connection.
  const preparedName = prepare
    ? `headgate_${functionsVersion}_${(smallHash(schema) >>> 0).toString(36)}`
    : undefined;
  /** @param from the number of the first parameter. */
  const applyArguments = (from: number) =>
    ["uuid[]", "bigint[]", "bigint[]", "bigint[]", "int[]", "bigint"]
      .map((type, n) => `$${from + n}::text::${type}`)
      .join(", ");
  const applyText = `SELECT ${fn("apply")}(${applyArguments(1)})::text AS answer`;
  const renewText = `SELECT ${fn("renew")}(${applyArguments(1)}) AS answer`;
  const claimText =
    `SELECT ${fn("claim")}($1::text::uuid, $2::text, $3::text, $4::text, $5::text::bigint, $6::text::bigint[], ` +
    `${applyArguments(7)}) AS answer`;
  const adjustClaimsText = `SELECT ${fn("adjust_claims")}($1::text::jsonb, ${applyArguments(2)}) AS answer`;
  const named = (of: string) => (preparedName === undefined ? undefined : `${preparedName}_${of}`);
  // It writes no row, but needs every privilege that a charge needs.
  const checkText =
    `WITH written AS (INSERT INTO ${table} AS p SELECT * FROM ${table} WHERE false ` +
    `ON CONFLICT (partition_id, state_id) DO UPDATE SET state = EXCLUDED.state) ${applyText}`;
  const overrideText =
    `SELECT ${fn("override")}($1::text::uuid[], $2::text::bigint, $3::text::boolean, $4::text::bigint, ` +
    "$5::text::bigint, $6::text, $7::text::int[], $8::text::bigint)::text AS answer";
  const sweepText = (name: string) =>
    `SELECT ${fn(name)}($1::text::bigint, ${sweepShare}, ${sweepFewestPages}, ${sweepMostRows}, $2::text::bigint)::text AS answer`;

  const presenceText =
    `WITH moment AS (SELECT coalesce($3::text::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS at), ` +
    `noted AS (INSERT INTO ${table} AS p (partition_id, state_id, state, expires_at) ` +
    `SELECT $1::text::uuid, $2::text::bigint, '{}', at + ${processLifeMs} FROM moment ` +
    `ON CONFLICT (partition_id, state_id) DO UPDATE SET expires_at = EXCLUDED.expires_at) ` +
    // A statement does not see its own writes.
    `SELECT (1 + count(*))::text AS answer FROM ${table} AS p, moment ` +
    `WHERE p.partition_id = $1::text::uuid AND p.state_id <> $2::text::bigint AND p.expires_at > at`;

  const readText =
    `SELECT coalesce((SELECT t.version || ' ' || CASE WHEN t.version = $2::text::bigint THEN '' ELSE t.text END ` +
    `FROM ${textsTable} AS t WHERE t.limiter = $1::text), '0 ') AS answer`;
  const writeText =
    `WITH written AS (INSERT INTO ${textsTable} AS t (limiter, version, text) ` +
    "SELECT $1::text, $3::text::bigint, $4::text WHERE $2::text::bigint = 0 " +
    `OR EXISTS (SELECT FROM ${textsTable} AS u WHERE u.limiter = $1::text) ` +
    "ON CONFLICT (limiter) DO UPDATE SET version = EXCLUDED.version, text = EXCLUDED.text " +
    "WHERE t.version = $2::text::bigint RETURNING 1) SELECT count(*)::text AS answer FROM written";

  /** Behind a pooler that gives each transaction another connection, prepared statements cannot be found again. */
  let isPooled = false;
  let connecting: Promise<Connection> | undefined;
  let migrating: Promise<unknown> | undefined;
  let closed = false;

  function connection(): Promise<Connection> {
    if (closed) return Promise.reject(new HeadgateError("store-invalid", "This store has been closed."));
    connecting ??= connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  }

  async function create(on: Connection): Promise<void> {
    const statement = { text: postgresMigration({ schema, unlogged }), values: [], name: undefined };
    migrating ??= giveUpAfter(on.run(statement), migrationMs).finally(() => {
      migrating = undefined;
    });
    try {
      await migrating;
    } catch (error) {
      if (codeOf(error) === readOnly) throw explainReadOnly();
      if (codeOf(error) !== "42501") throw error;
      throw new HeadgateError(
        "store-invalid",
        `This database user cannot create the schema "${schema}" or its contents. Run the statement from ` +
          "postgresMigration() as a user with that privilege, then grant this user access to the schema. " +
          `PostgreSQL said: ${String((error as Error).message)}.`,
      );
    }
  }

  async function run(statement: Statement): Promise<string> {
    const on = await connection();
    let created = false;
    for (let attempt = 1; ; attempt += 1) {
      const asked = isPooled ? { ...statement, name: undefined } : statement;
      try {
        const [row] = await giveUpAfter(on.run(asked), statementMs);
        return String(row?.answer);
      } catch (error) {
        const code = codeOf(error);
        if (code === readOnly) throw explainReadOnly();
        if (missing.has(code) && !created) {
          if (!migrate) throw explainMissing(schema);
          await create(on);
          created = true;
        } else if (unprepared.has(code) && asked.name !== undefined) {
          isPooled = true;
        } else if (transient.has(code) && attempt < mostAttempts) {
          await pause(Math.random() * 2 ** Math.min(attempt, 5));
        } else {
          throw mayHaveBeenApplied(error) ? inDoubt(error) : error;
        }
      }
    }
  }

  return {
    apply: (parameters) => run({ text: applyText, values: parameters, name: preparedName }),
    renew: (parameters) => run({ text: renewText, values: parameters, name: named("renew") }),
    applyWhereWritable: (parameters) => run({ text: checkText, values: parameters, name: undefined }),

    claim: (parameters) => run({ text: claimText, values: parameters, name: named("claim") }),
    adjustClaims: (parameters) => run({ text: adjustClaimsText, values: parameters, name: named("ended") }),

    async override(parameters) {
      await run({ text: overrideText, values: parameters, name: undefined });
    },

    async sweep(table, firstPage, at) {
      const answer = await run({
        text: sweepText(table === "holds" ? "sweep_holds" : "sweep"),
        values: [String(firstPage), at === null ? null : String(at)],
        name: undefined,
      });
      const [nextPage = 0, deleted = 0] = answer.slice(1, -1).split(",").map(Number);
      return { nextPage, deleted, full: deleted >= sweepMostRows };
    },

    async countProcesses(partitionId, processId, at) {
      const values = [partitionId, processId, at === null ? null : String(at)];
      return Number(await run({ text: presenceText, values, name: undefined }));
    },

    async readShared(limiter, version) {
      const kept = await run({ text: readText, values: [limiter, String(version)], name: undefined });
      const space = kept.indexOf(" ");
      const found = Number(kept.slice(0, space));
      return found === version ? undefined : { version: found, text: kept.slice(space + 1) };
    },

    async writeShared(limiter, version, next) {
      const values = [limiter, String(version), String(next.version), next.text];
      return (await run({ text: writeText, values, name: undefined })) === "1";
    },

    async close() {
      closed = true;
      const on = await connecting?.catch(() => undefined);
      await on?.close?.();
    },
  };
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

function explainReadOnly(): HeadgateError {
  return new HeadgateError(
    "store-invalid",
    "PostgreSQL is read-only: this server is a replica, or default_transaction_read_only is on. " +
      "Connect to the primary, and turn that setting off for this user and database.",
  );
}

function explainMissing(schema: string): HeadgateError {
  return new HeadgateError(
    "store-invalid",
    `The schema "${schema}" does not hold the table and functions of this release of Headgate: run the statement ` +
      "that postgresMigration() returns, or set the option migrate to true.",
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
