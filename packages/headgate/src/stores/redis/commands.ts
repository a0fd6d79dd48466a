import { HeadgateError } from "../../core/errors.ts";
import { show } from "../../core/show.ts";

/** The operations that the store needs from any client. */
export interface RedisCommands {
  /** Whether keys belong to slots: a call may then name keys of one slot only. */
  readonly cluster: boolean;
  /** Runs a script by its SHA-1. If the server does not know the script, rejects with a message that contains NOSCRIPT. */
  evalsha(sha: string, keys: readonly string[], argument: string): Promise<unknown>;
  /** Runs a script by its text. The server then knows the script. */
  evaluate(text: string, keys: readonly string[], argument: string): Promise<unknown>;
  /** Whether the connection is known to be down: a call made now would wait until it is back. */
  isDown(): boolean;
  /**
   * Leaves a server that has become a replica: resolves with commands over a new connection, made by the client's own
   * methods. Absent if the client has no such methods, or finds the master by itself.
   */
  renew?(): Promise<RedisCommands>;
  /** Set if the connection was made by `renew` and not by the caller. */
  close?(): void;
}

/** The calls that Headgate makes on a client of ioredis or iovalkey, standalone, Sentinel or `Cluster`. */
export interface IoredisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  once(event: "ready", listener: () => void): unknown;
  readonly status: string;
  readonly isCluster?: boolean;
  readonly options?: unknown;
  disconnect?(reconnect?: boolean): void;
}

interface NodeRedisEvalOptions {
  keys: string[];
  arguments: string[];
}

/** The calls that Headgate makes on a client of node-redis (`redis`): client, pool or sentinel. */
export interface NodeRedisClient {
  evalSha(sha: string, options: NodeRedisEvalOptions): Promise<unknown>;
  eval(script: string, options: NodeRedisEvalOptions): Promise<unknown>;
  once(event: "ready", listener: () => void): unknown;
  readonly isReady?: boolean;
  /** Pools and Sentinel clients lack it, or `connect`. */
  duplicate?: unknown;
}

/** What a duplicate of a standalone client is used for. */
interface NodeRedisDuplicate extends NodeRedisClient {
  connect(): Promise<unknown>;
  on(event: "error", listener: () => void): unknown;
  /** Of version 4. */
  disconnect?(): Promise<void>;
  destroy?(): void;
}

/** The calls that Headgate makes on a cluster client of node-redis. */
export interface NodeRedisCluster {
  sendCommand(firstKey: string, isReadonly: boolean, command: string[]): Promise<unknown>;
  /** Only a cluster has it. */
  getSlotRandomNode: unknown;
}

/** The calls that Headgate makes on a client of valkey-glide, standalone or cluster. */
export interface GlideClient {
  customCommand(command: string[]): Promise<unknown>;
  invokeScript: unknown;
  /** Only a cluster client has it. */
  readonly invokeScriptWithRoute?: unknown;
}

/** The calls that Headgate makes on a client of `@upstash/redis`, which asks over HTTP. */
export interface UpstashClient {
  evalsha(sha: string, keys: string[], args: string[]): Promise<unknown>;
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
  /** Only such a client has it. */
  createScript: unknown;
}

/** A client that the caller made, configured and connected, and closes. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster | GlideClient | UpstashClient;

/**
 * Recognizes clients by their methods, so that no client package has to be installed.
 *
 * @throws HeadgateError `store-invalid` if the client is not a known one.
 */
export function commandsOf(client: RedisClient): RedisCommands {
  if (has(client, "getSlotRandomNode") && has(client, "sendCommand")) {
    return overNodeRedisCluster(client as NodeRedisCluster);
  }
  if (has(client, "createScript") && has(client, "evalsha")) return overUpstash(client as UpstashClient);
  if (has(client, "evalSha") && has(client, "eval")) return overNodeRedis(client as NodeRedisClient);
  if (has(client, "evalsha") && has(client, "eval")) return overIoredis(client as IoredisClient);
  if (has(client, "customCommand") && has(client, "invokeScript")) return overGlide(client as GlideClient);
  throw new HeadgateError(
    "store-invalid",
    "redisStore takes a URL such as redis://localhost:6379, or a client of ioredis, iovalkey, redis (node-redis), " +
      `@valkey/valkey-glide or @upstash/redis; it got ${describe(client)}.`,
  );
}

function has(client: unknown, method: string): boolean {
  return (
    typeof client === "object" &&
    client !== null &&
    typeof (client as Record<string, unknown>)[method] === "function"
  );
}

function describe(client: unknown): string {
  if (typeof client !== "object" || client === null) return show(client);
  const name = (client as object).constructor?.name ?? "Object";
  return name === "Object" ? "an object that is none of these" : `an object of class ${name}`;
}

function overIoredis(client: IoredisClient): RedisCommands {
  const { retryStrategy } = (client.options ?? {}) as { retryStrategy?: unknown };
  const cluster = client.isCluster === true;
  const commands: RedisCommands = {
    cluster,
    evalsha: (sha, keys, argument) => client.evalsha(sha, keys.length, ...keys, argument),
    evaluate: (text, keys, argument) => client.eval(text, keys.length, ...keys, argument),
    isDown: downAfterReady(client, () => client.status === "ready"),
  };
  // Without a retry strategy the client would not reconnect; a cluster finds the master by itself.
  if (cluster || typeof retryStrategy !== "function") return commands;
  return {
    ...commands,
    async renew() {
      client.disconnect?.(true);
      return overIoredis(client);
    },
  };
}

function overNodeRedis(client: NodeRedisClient): RedisCommands {
  const commands: RedisCommands = {
    cluster: false,
    evalsha: (sha, keys, argument) => client.evalSha(sha, { keys: [...keys], arguments: [argument] }),
    evaluate: (text, keys, argument) => client.eval(text, { keys: [...keys], arguments: [argument] }),
    // A pool does not report its state.
    isDown: downAfterReady(client, () => client.isReady !== false),
  };
  if (typeof client.isReady !== "boolean" || typeof client.duplicate !== "function") return commands;
  const duplicate = client.duplicate.bind(client) as () => NodeRedisDuplicate;
  return {
    ...commands,
    // This client can only be reconnected by closing it, which would break it for all other code that uses it.
    async renew() {
      const fresh = duplicate();
      fresh.on("error", () => {});
      const close = () =>
        fresh.destroy === undefined ? void fresh.disconnect?.().catch(() => {}) : fresh.destroy();
      try {
        await fresh.connect();
      } catch (error) {
        close();
        throw error;
      }
      return { ...overNodeRedis(fresh), close };
    },
  };
}

/** Does not use `evalSha`: in version 4 it asks a random node. */
function overNodeRedisCluster(client: NodeRedisCluster): RedisCommands {
  const call = (command: string, script: string, keys: readonly string[], argument: string) =>
    client.sendCommand(keys[0] ?? "", false, [command, script, String(keys.length), ...keys, argument]);
  return {
    cluster: true,
    evalsha: (sha, keys, argument) => call("EVALSHA", sha, keys, argument),
    evaluate: (text, keys, argument) => call("EVAL", text, keys, argument),
    // Each node has its own connection: the state of one is not the state of the cluster.
    isDown: () => false,
  };
}

function overGlide(client: GlideClient): RedisCommands {
  const call = (command: string, script: string, keys: readonly string[], argument: string) =>
    client.customCommand([command, script, String(keys.length), ...keys, argument]);
  return {
    cluster: typeof client.invokeScriptWithRoute === "function",
    evalsha: (sha, keys, argument) => call("EVALSHA", sha, keys, argument),
    evaluate: (text, keys, argument) => call("EVAL", text, keys, argument),
    // This client does not report its state; it has its own time limit for every call.
    isDown: () => false,
  };
}

function overUpstash(client: UpstashClient): RedisCommands {
  return {
    cluster: false,
    evalsha: (sha, keys, argument) => client.evalsha(sha, [...keys], [argument]).catch(throwAnswer),
    evaluate: (text, keys, argument) => client.eval(text, [...keys], [argument]).catch(throwAnswer),
    // Each call is a separate HTTP request.
    isDown: () => false,
  };
}

/** The server's own message, without the text that this client adds: the command contains callers' names. */
function throwAnswer(error: unknown): never {
  if (!(error instanceof Error)) throw error;
  const message = error.message.replace(/^Command failed: /, "").replace(/, command was: [\s\S]*$/, "");
  throw new Error(message);
}

/** A client that is still connecting when first used may wait. Once it has been ready, it may not wait. */
function downAfterReady(
  client: { once(event: "ready", listener: () => void): unknown },
  isReady: () => boolean,
): () => boolean {
  let wasReady = isReady();
  if (!wasReady) {
    client.once("ready", () => {
      wasReady = true;
    });
  }
  return () => wasReady && !isReady();
}
