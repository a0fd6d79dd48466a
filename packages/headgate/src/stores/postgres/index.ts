import { type Clock, checkClock } from "../../core/clock.ts";
import { HeadgateError } from "../../core/errors.ts";
import { type LoadingStore, load } from "../../core/loading.ts";
import { checkOptions } from "../../core/options.ts";
import { show } from "../../core/show.ts";
import type { Adjustment, Outcome, SharedText, Store } from "../../core/store.ts";
import { areRenewals } from "../shared/renewals.ts";
import { isPglite, parsePostgresUrl } from "./address.ts";
import { type ClaimRequest, decodeClaim, encodeClaim, encodeClaimChanges, haveClaims } from "./claims.ts";
import { type Connection, connectionOver, connectTo, loadDriver, type PostgresClient } from "./connect.ts";
import { decode } from "./decode.ts";
import { encode, encodeOverride, type StoreRequest } from "./encode.ts";
import { checkSchema, checkSwitches, defaultSchema, type MigrationOptions } from "./migration.ts";
import { partitionId, stateId } from "./partition-id.ts";
import { openSession } from "./session.ts";
import { createSweeper } from "./sweeper.ts";
import { trips } from "./trips.ts";

export type { PostgresClient, PostgresJsClient, QueryClient } from "./connect.ts";
export { type MigrationOptions, postgresMigration } from "./migration.ts";

export interface PostgresStoreOptions extends MigrationOptions {
  /**
   * Whether missing tables and functions are created when they are first needed; default `true`. With `false`, a missing
   * table is an error that says what to do: see `postgresMigration`.
   */
  migrate?: boolean;
  /**
   * Whether the statement is prepared once for each connection; default `true`, or the value in the URL: `?prepare=false`.
   * Some poolers spread a client's statements over several connections and do not track prepared ones (PgBouncer before
   * 1.21). Behind these, the first statement that fails for this reason turns the option off. Set `false` to avoid that failure.
   */
  prepare?: boolean;
  /** The maximum number of connections that the store opens; default 4. Has no effect on a client that was passed. */
  connections?: number;
  /** For tests only: the time to decide at, instead of the server's. All processes of a test must share it. */
  clock?: Clock;
}

/** A store in PostgreSQL or PGlite, shared by all processes that use the same database and schema. */
export interface PostgresStore extends Store {
  readonly name: "postgres";
  readonly remote: true;
  decide(...asked: Parameters<Store["decide"]>): Promise<Outcome>;
  adjust(...asked: Parameters<Store["adjust"]>): Promise<Outcome>;
  reset(...asked: Parameters<Store["reset"]>): Promise<void>;
  countProcesses(...asked: Parameters<NonNullable<Store["countProcesses"]>>): Promise<number>;
  override(...asked: Parameters<NonNullable<Store["override"]>>): Promise<void>;
  readShared(...asked: Parameters<NonNullable<Store["readShared"]>>): Promise<SharedText | undefined>;
  writeShared(...asked: Parameters<NonNullable<Store["writeShared"]>>): Promise<boolean>;
  check(): Promise<void>;
  close(): Promise<void>;
}

const storeOptions = ["schema", "unlogged", "migrate", "prepare", "connections", "clock"];
const defaultConnections = 4;
/** More connections only make batches smaller: the statements of one process mostly wait for the same processor. */
const mostUnderWay = 2;
const mostTogether = 128;
const mostWaiting = 20_000;

/**
 * Counts in PostgreSQL, exactly, with one statement for all decisions that are sent together.
 *
 * ```ts
 * createLimiter({ name: "chat", layers, store: postgresStore("postgres://app@db.internal/app") });
 * createLimiter({ name: "chat", layers, store: postgresStore(pool) }); // a Pool or Client of pg, postgres(…), or a PGlite
 * ```
 *
 * @param source a URL, to which the store connects at its first use, or a connected client, which `close` leaves open.
 * @throws HeadgateError `option-invalid` or `store-invalid`. A URL is never quoted: it may contain a password.
 */
export function postgresStore(
  source: string | PostgresClient,
  options: PostgresStoreOptions = {},
): PostgresStore {
  checkOptions("postgresStore", options, storeOptions, "option-invalid");
  checkSwitches(options, ["unlogged", "migrate", "prepare"]);
  const { schema = defaultSchema, unlogged = false, migrate = true, clock } = options;
  const { connections = defaultConnections } = options;
  if (clock !== undefined) checkClock(clock);
  checkSchema(schema);
  if (!Number.isSafeInteger(connections) || connections < 1) {
    throw new HeadgateError(
      "option-invalid",
      `connections must be a whole number from 1 up, got ${show(connections)}.`,
    );
  }

  const { connect, load: loadCode, single, prepare } = connector(source, connections, options.prepare);
  const session = openSession(connect, { schema, unlogged, migrate, prepare });
  const processNow = () => Math.floor(clock === undefined ? Date.now() : clock.now());
  const testNow = () => (clock === undefined ? null : processNow());
  const sweepers = (["partitions", "holds"] as const).map((table) =>
    createSweeper((firstPage) => session.sweep(table, firstPage, testNow())),
  );

  async function send(requests: readonly StoreRequest[]): Promise<readonly (Outcome | HeadgateError)[]> {
    const parameters = encode(requests, processNow(), testNow());
    const answer = await (renewsOnly(requests) ? session.renew(parameters) : session.apply(parameters));
    const decoded = decode(requests, answer, schema);
    const swept = Promise.all(sweepers.map((sweeper) => sweeper.afterTrip(processNow())));
    // After an answer, a test may set its clock back by years: a sweep with the later time must not be under way then.
    if (clock !== undefined) await swept;
    return decoded;
  }

  const travel = trips(send, {
    mostUnderWay: single ? 1 : mostUnderWay,
    mostTogether,
    mostWaiting,
  });

  /**
   * Sends each request alone. Requests with claims wait until their data is on disk; requests that are sent together must
   * not wait for that.
   */
  const travelAlone = trips(
    async (requests: readonly (() => Promise<Outcome>)[]) => Promise.all(requests.map((ask) => ask())),
    { mostUnderWay: single ? 1 : connections, mostTogether: 1, mostWaiting },
  );

  async function claim(request: ClaimRequest): Promise<Outcome> {
    const answer = await session.claim(encodeClaim(request, processNow(), testNow()));
    return decodeClaim(request, answer, schema);
  }

  async function adjustClaims(adjustments: readonly Adjustment[]): Promise<Outcome> {
    const request: StoreRequest = { kind: "adjust", adjustments };
    const parameters = encode([request], processNow(), testNow());
    const answer = await session.adjustClaims(encodeClaimChanges(adjustments, parameters));
    const [outcome] = decode([request], answer, schema);
    if (outcome === undefined || outcome instanceof HeadgateError) throw outcome;
    return outcome;
  }

  async function ask(request: StoreRequest): Promise<Outcome> {
    const answer = await travel(request);
    if (answer instanceof HeadgateError) throw answer;
    return answer;
  }

  const store: PostgresStore & LoadingStore = {
    name: "postgres",
    remote: true,
    claims: true,

    async decide(charges, now, peek, hold, claimed) {
      if (charges.length === 0) return { admitted: true, now, readings: [], marks: [] };
      if (claimed !== undefined && hold !== undefined && !peek)
        return travelAlone(() => claim({ charges, hold, claim: claimed }));
      return ask({ kind: peek ? "peek" : "admit", charges, hold });
    },

    async adjust(adjustments, now) {
      if (adjustments.length === 0) return { admitted: true, now, readings: [], marks: [] };
      if (haveClaims(adjustments)) return travelAlone(() => adjustClaims(adjustments));
      return ask({ kind: "adjust", adjustments });
    },

    async reset(partitions) {
      if (partitions.length > 0) await ask({ kind: "reset", partitions });
    },

    async countProcesses(limiter, process) {
      const { id } = partitionId("", `processes ${limiter}`);
      return session.countProcesses(id, stateId("", process), testNow());
    },

    async override(partitions, terms) {
      await session.override(encodeOverride(partitions, terms, testNow()));
    },

    readShared: (limiter, version) => session.readShared(limiter, version),
    writeShared: (limiter, version, next) => session.writeShared(limiter, version, next),

    async check() {
      const nothing = { kind: "peek", charges: [], hold: undefined } as const;
      const check = () => session.applyWhereWritable(encode([nothing], processNow(), testNow()));
      // Check each connection that decisions will use: the first statement on a connection may take longer
      // than a decision's time limit.
      await Promise.all(Array.from({ length: single ? 1 : mostUnderWay }, check));
    },

    async close() {
      for (const sweeper of sweepers) sweeper.stop();
      await session.close();
    },

    ...(loadCode === undefined ? {} : { [load]: loadCode }),
  };
  return store;
}

function renewsOnly(requests: readonly StoreRequest[]): boolean {
  const [request] = requests;
  return requests.length === 1 && request?.kind === "adjust" && areRenewals(request.adjustments);
}

/** Also checks the source, as far as possible without connecting. */
function connector(
  source: string | PostgresClient,
  connections: number,
  prepare: boolean | undefined,
): { connect: () => Promise<Connection>; load?(): Promise<unknown>; single: boolean; prepare: boolean } {
  if (typeof source !== "string") {
    const connection = connectionOver(source);
    return { connect: async () => connection, single: connection.single, prepare: prepare ?? true };
  }
  const { url, prepares } = parsePostgresUrl(source);
  return {
    connect: () => connectTo(url, connections),
    load: () => loadDriver(url),
    single: connections === 1 || isPglite(source),
    prepare: prepare ?? prepares,
  };
}
