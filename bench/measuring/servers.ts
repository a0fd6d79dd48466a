/** The servers to remove when this process gets a signal to end. */
const running = new Set<{ remove(): Promise<void> }>();

/** Runs work with a server, and removes the server afterwards, even after a failure. */
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

/** Removes the servers after a signal, and then ends this process. */
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
