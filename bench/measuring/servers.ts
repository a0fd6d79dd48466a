/** What is to be ended when this process is told to end. */
const running = new Set<{ remove(): Promise<void> }>();

/** Gives a server to some work, and removes it afterwards, whatever became of the work. */
export async function withServer<Server extends { remove(): Promise<void> }, Result>(
  starting: Promise<Server>,
  work: (server: Server) => Promise<Result>,
): Promise<Result> {
  const server = await starting;
  running.add(server);
  try {
    return await work(server);
  } finally {
    running.delete(server);
    await server.remove();
  }
}

/** On a signal, ends what this process has started and then itself. */
export function endWithServers(): void {
  const end = async (signal: NodeJS.Signals) => {
    await Promise.allSettled([...running].map((server) => server.remove()));
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  process.once("SIGHUP", end);
}
