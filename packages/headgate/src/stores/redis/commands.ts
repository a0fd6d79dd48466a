import { HeadgateError } from "../../core/errors.ts";
import { show } from "../../core/show.ts";

/** What the store needs of a client, whichever it is. */
export interface RedisCommands {
  /** Whether keys live in slots: a call then names keys of one slot only. */
  readonly cluster: boolean;
  /** Runs a script by its SHA-1. Rejects with a message that has NOSCRIPT in it where the server does not know it. */
  evalsha(sha: string, keys: readonly string[], argument: string): Promise<unknown>;
  /** Runs a script by its text, by which the server learns it. */
  evaluate(text: string, keys: readonly string[], argument: string): Promise<unknown>;
  /** Whether the connection is known to be down: what is asked now would wait for it to come back. */
  isDown(): boolean;
  /**
   * Leaves a server that has become a replica: resolves with commands over a new connection, by the client's own means. Absent
   * where it has none, or finds the master by itself.
   */
  renew?(): Promise<RedisCommands>;
  /** Where it was made by `renew`, and not by the caller. */
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
 * Tells clients apart by what they can do, so that none of them has to be installed.
 *
 * @throws HeadgateError `store-invalid` where it is none of those that are known.
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
  // Without a retry strategy it would not come back; a cluster finds the master by itself.
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
    // A pool does not say.
    isDown: downAfterReady(client, () => client.isReady !== false),
  };
  if (typeof client.isReady !== "boolean" || typeof client.duplicate !== "function") return commands;
  const duplicate = client.duplicate.bind(client) as () => NodeRedisDuplicate;
  return {
    ...commands,
    // It can only be reconnected by closing it, which would break it for everything else that uses it.
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

/** Not by `evalSha`: that of version 4 asks a node at random. */
function overNodeRedisCluster(client: NodeRedisCluster): RedisCommands {
  const call = (command: string, script: string, keys: readonly string[], argument: string) =>
    client.sendCommand(keys[0] ?? "", false, [command, script, String(keys.length), ...keys, argument]);
  return {
    cluster: true,
    evalsha: (sha, keys, argument) => call("EVALSHA", sha, keys, argument),
    evaluate: (text, keys, argument) => call("EVAL", text, keys, argument),
    // Each node has a connection of its own, and none of them is the cluster.
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
    // It does not say; it gives every call a time limit of its own instead.
    isDown: () => false,
  };
}

function overUpstash(client: UpstashClient): RedisCommands {
  return {
    cluster: false,
    evalsha: (sha, keys, argument) => client.evalsha(sha, [...keys], [argument]).catch(throwAnswer),
    evaluate: (text, keys, argument) => client.eval(text, [...keys], [argument]).catch(throwAnswer),
    // Each call is a request of its own.
    isDown: () => false,
  };
}

/** What the server answered, without what this client writes around it: the command names callers. */
function throwAnswer(error: unknown): never {
  if (!(error instanceof Error)) throw error;
  const message = error.message.replace(/^Command failed: /, "").replace(/, command was: [\s\S]*$/, "");
  throw new Error(message);
}

/** A client may still be connecting when it is first used, and then may wait; once it was ready, it may not. */
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
