import { HeadgateError } from "../../core/errors.ts";
import { textOf } from "../../core/reason.ts";
import { absent, notInstalled } from "../shared/absent.ts";
import type { RedisAddress } from "./address.ts";
import { commandsOf, type IoredisClient, type RedisCommands } from "./commands.ts";

/** The store's own connection. It is opened when first needed, and then kept open. */
export interface RedisConnection {
  /**
   * Resolves at once if connected. Waits during the first attempt. After that, rejects at once if the connection is
   * down, while the client keeps trying to reconnect.
   *
   * @throws Error once the connection has been closed.
   */
  use(): RedisCommands | Promise<RedisCommands>;
  /** Loads the client's code, and connects nothing. */
  load(): Promise<unknown>;
  close(): Promise<void>;
}

/** The methods used of ioredis and iovalkey, which have the same interface. */
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
  /** Its socket, once it has one. In a cluster, each node has its own. */
  readonly stream?: Unreferenced | null;
  readonly reconnectTimeout?: Unreferenced | null;
}

/** Node's sockets and timers have this. Those of other runtimes may lack it. */
interface Unreferenced {
  unref?(): unknown;
}

const connectTimeoutMs = 2_000;
/** Longer than the limiter's own time limit. It ends waiting calls even if the limiter has no time limit. */
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
      if (closed) throw new HeadgateError("store-invalid", "This store has been closed.");
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
 * Neither a connection nor its next attempt keeps the process alive. A call under way does, because it has its own timer.
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
    // Do not queue calls that cannot be sent now: reject them, so that the limiter's outage policy decides.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Do not repeat a call that was cut off: it may have been charged, and repeating it could charge twice.
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

/** ioredis for `redis://`, iovalkey for `valkey://`; if it is not installed, the other one. */
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

/** Both are CommonJS: Node finds their named exports, but bundlers may only provide the default export. */
function namedBy(driver: Driver | { default: Driver }): Driver {
  return "Redis" in driver ? driver : driver.default;
}

// Bundlers accept a missing package only if they see that its import may fail: esbuild needs `catch`, Turbopack needs `try`.
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

/** An error's message, without the commands that clients attach to it: their arguments contain callers' names. */
export function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return textOf(error);
  // If several addresses have all failed, Node reports one error without a message.
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
