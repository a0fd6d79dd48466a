import { textOf } from "../../core/reason.ts";
import { absent, notInstalled } from "../shared/absent.ts";
import type { RedisAddress } from "./address.ts";
import { commandsOf, type IoredisClient, type RedisCommands } from "./commands.ts";

/** A connection of the store's own, opened when it is first needed and kept up from then on. */
export interface RedisConnection {
  /**
   * At once where it is connected. While the first attempt lasts it waits, afterwards it rejects at once where the
   * connection is down. The client goes on trying meanwhile.
   *
   * @throws Error once it has been closed.
   */
  use(): RedisCommands | Promise<RedisCommands>;
  /** Loads the client's code, and connects nothing. */
  load(): Promise<unknown>;
  close(): Promise<void>;
}

/** What is used of ioredis and iovalkey, which share it. */
interface Driver {
  Redis: new (options: object) => DriverClient;
  Cluster: new (nodes: object[], options: object) => DriverClient;
}

interface DriverClient extends IoredisClient {
  connect(): Promise<unknown>;
  disconnect(): void;
  quit(): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "connect" | "reconnecting", listener: () => void): unknown;
  on(event: "+node", listener: (node: DriverClient) => void): unknown;
  /** Its socket, once it has one. Of a cluster, each node has its own. */
  readonly stream?: Unreferenced | null;
  readonly reconnectTimeout?: Unreferenced | null;
}

/** Of Node's sockets and timers. Those of other runtimes may lack it. */
interface Unreferenced {
  unref?(): unknown;
}

const connectTimeoutMs = 2_000;
/** Beyond the limiter's own time limit, so that nothing is held for ever where there is none. */
const commandTimeoutMs = 5_000;
const quitTimeoutMs = 1_000;

export function openConnection(address: RedisAddress): RedisConnection {
  let opening: Promise<DriverClient> | undefined;
  let client: DriverClient | undefined;
  let commands: RedisCommands | undefined;
  let lastFault = "it has not been connected yet";
  let closed = false;

  async function open(): Promise<DriverClient> {
    const driver = await importDriver(address.driver);
    const opened = createClient(driver, address);
    opened.on("error", (error) => {
      lastFault = faultOf(error);
    });
    letProcessEnd(opened);
    if (address.cluster) opened.on("+node", letProcessEnd);
    client = opened;
    commands = commandsOf(opened);
    await within(connectTimeoutMs, opened.connect()).catch((error: Error) => {
      if (error.message !== "Connection is closed.") lastFault = faultOf(error);
    });
    return opened;
  }

  /** Waits for the first attempt; later calls wait for the same one. */
  async function connect(): Promise<RedisCommands> {
    opening ??= open();
    try {
      await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
    if (client?.status !== "ready") throw new Error(`The Redis store is not connected: ${lastFault}.`);
    return commands as RedisCommands;
  }

  return {
    use() {
      if (closed) throw new Error("The Redis store has been closed.");
      return client?.status === "ready" && commands !== undefined ? commands : connect();
    },

    load: () => importDriver(address.driver),

    async close() {
      closed = true;
      await opening?.catch(() => {});
      if (client === undefined) return;
      if (client.status === "ready") await within(quitTimeoutMs, client.quit()).catch(() => {});
      client.disconnect();
    },
  };
}

/**
 * Neither a connection nor its next attempt keeps a process alive that is otherwise done. A call under way does: it has a
 * timer of its own.
 */
function letProcessEnd(client: DriverClient): void {
  client.on("connect", () => client.stream?.unref?.());
  client.on("reconnecting", () => client.reconnectTimeout?.unref?.());
}

function createClient(driver: Driver, address: RedisAddress): DriverClient {
  const { hosts, tls, username, password, database, sentinel } = address;
  const usual = {
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // What cannot be sent now is refused now: the limiter has an outage policy, a queue has none.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Whether a call that was cut off had been charged is not known: charging it again would be a guess.
    autoResendUnfulfilledCommands: false,
    lazyConnect: true,
    retryStrategy: retryDelayMs,
    // A master that has become a replica keeps its connections: leave it, and look for the new one.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
  if (address.cluster) {
    return new driver.Cluster([...hosts], {
      redisOptions: usual,
      enableOfflineQueue: false,
      lazyConnect: true,
      clusterRetryStrategy: retryDelayMs,
    });
  }
  if (sentinel !== undefined) {
    return new driver.Redis({
      ...usual,
      db: database,
      sentinels: hosts,
      name: sentinel,
      sentinelRetryStrategy: retryDelayMs,
      ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    });
  }
  return new driver.Redis({ ...usual, ...hosts[0], db: database });
}

function retryDelayMs(attempts: number): number {
  return Math.min(2_000, 25 * 2 ** Math.min(attempts, 7));
}

/** ioredis for `redis://`, iovalkey for `valkey://`; where that is not installed, the other one. */
async function importDriver(preferred: RedisAddress["driver"]): Promise<Driver> {
  const [first, second] = preferred === "redis" ? [ioredis, iovalkey] : [iovalkey, ioredis];
  const driver = (await first()) ?? (await second());
  if (driver !== undefined) return namedBy(driver as unknown as Driver | { default: Driver });
  const wanted = preferred === "redis" ? "ioredis" : "iovalkey";
  throw notInstalled(
    `A ${preferred}:// URL needs a client, and none is installed: npm install ${wanted}. ` +
      "Or pass a client of your own to redisStore.",
  );
}

/** Both are CommonJS: Node finds the names in them, while bundlers may give the whole as the default alone. */
function namedBy(driver: Driver | { default: Driver }): Driver {
  return "Redis" in driver ? driver : driver.default;
}

// Bundlers let a package be absent only where they see that its import may fail: esbuild by `catch`, Turbopack by `try`.
async function ioredis() {
  try {
    return await import("ioredis").catch(absent);
  } catch (error) {
    return absent(error);
  }
}

async function iovalkey() {
  try {
    return await import("iovalkey").catch(absent);
  } catch (error) {
    return absent(error);
  }
}

/** An error's message, without what clients attach to it: commands, whose arguments name callers. */
export function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return textOf(error);
  // Node reports several addresses that all failed as one error without a message.
  const { errors, code } = error as Error & { errors?: readonly unknown[]; code?: unknown };
  const text = error.message || (errors?.[0] === undefined ? String(code ?? error.name) : faultOf(errors[0]));
  return text.replace(/\.$/, "");
}

async function within<Answer>(ms: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
