import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ContainerOptions } from "./container.ts";

const program = fileURLToPath(new URL("./container.ts", import.meta.url));
const requestsInFlight = 10;

/** Containers that take turns, as behind a load balancer. */
export interface Fleet {
  /**
   * Sends requests of one user over HTTP, ten at a time.
   *
   * @returns how many were admitted
   * @throws Error for a status other than 200 and 429
   */
  send(user: string, requests: number): Promise<number>;
  /** Replaces every container, as a deployment does. */
  replaceAll(): Promise<void>;
  end(): Promise<void>;
}

interface Container {
  readonly child: ChildProcess;
  readonly port: number;
}

/**
 * Starts `size` processes that run container.ts.
 *
 * @throws Error with the output of a container that did not start, after stopping the other containers
 */
export async function startFleet(options: ContainerOptions, size: number): Promise<Fleet> {
  const agent = new Agent({ keepAlive: true });
  let containers: Container[] = [];
  let turn = 0;

  /** Starts them one after the other, because real containers do not share processors at the start. */
  async function startAll(): Promise<void> {
    containers = [];
    try {
      while (containers.length < size) containers.push(await startContainer(options));
    } catch (error) {
      await endAll();
      throw error;
    }
  }

  async function endAll(): Promise<void> {
    await Promise.all(containers.map(endContainer));
  }

  async function statusOf(user: string): Promise<number | undefined> {
    const { port } = containers[turn % size] as Container;
    turn += 1;
    const request = get({ host: "127.0.0.1", port, agent, headers: { "x-user": user } });
    const [response] = await once(request, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  }

  await startAll();
  return {
    async send(user, requests) {
      let left = requests;
      let admitted = 0;
      async function sendOnAndOn(): Promise<void> {
        while (left > 0) {
          left -= 1;
          const status = await statusOf(user);
          if (status === 200) admitted += 1;
          else if (status !== 429) throw new Error(`A container answered ${status}.`);
        }
      }
      await Promise.all(Array.from({ length: requestsInFlight }, sendOnAndOn));
      return admitted;
    },
    async replaceAll() {
      await endAll();
      await startAll();
    },
    async end() {
      agent.destroy();
      await endAll();
    },
  };
}

async function startContainer(options: ContainerOptions): Promise<Container> {
  const child = spawn(process.execPath, ["--conditions=headgate-source", program, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  // The container prints its port; a process that fails to start prints nothing.
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (value === undefined) {
    await closed;
    throw new Error(`A container ended before it listened: ${complaints}`);
  }
  child.stderr.pipe(process.stderr);
  return { child, port: Number(value) };
}

async function endContainer({ child }: Container): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end();
  await exited;
}
