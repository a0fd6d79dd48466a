import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import { bundle } from "./bundle.ts";

/** A Worker in workerd, listening on loopback. */
export interface RunningWorker {
  readonly origin: string;
  readonly miniflare: Miniflare;
  close(): Promise<void>;
}

/** The newest date that this workerd supports. From 2024-10-14 on, one request may settle promises of another. */
const COMPATIBILITY_DATE = "2026-07-01";

export async function startWorker(
  program: string,
  options: Partial<WorkerOptions> = {},
): Promise<RunningWorker> {
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "program.mjs", contents: await bundle(program) }],
    compatibilityDate: COMPATIBILITY_DATE,
    host: "127.0.0.1",
    // Otherwise, Miniflare fetches the `cf` object from the network.
    cf: false,
    // Connect directly to the Worker: the development proxy in front answers in its place if a body is not read.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    // Without this flag, a Worker does not notice that a client has disconnected.
    compatibilityFlags: ["enable_request_signal"],
    log: new Log(LogLevel.ERROR),
    ...options,
  } as ConstructorParameters<typeof Miniflare>[0]);
  await miniflare.ready;
  const { origin } = await miniflare.unsafeGetDirectURL();
  return { origin, miniflare, close: () => miniflare.dispose() };
}
