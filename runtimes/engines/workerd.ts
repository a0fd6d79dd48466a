import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import { bundle } from "./bundle.ts";

/** A Worker in workerd, listening on loopback. */
export interface RunningWorker {
  readonly origin: string;
  readonly miniflare: Miniflare;
  close(): Promise<void>;
}

/** Of the newest workerd that may be asked for; promises of one request may be settled by another since 2024-10-14. */
const COMPATIBILITY_DATE = "2026-07-01";

export async function startWorker(
  program: string,
  options: Partial<WorkerOptions> = {},
): Promise<RunningWorker> {
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "program.mjs", contents: await bundle(program) }],
    compatibilityDate: COMPATIBILITY_DATE,
    host: "127.0.0.1",
    // It would be fetched from the network.
    cf: false,
    // Straight to the Worker: what stands before it in development answers for it when a body is left unread.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    // Without it a Worker does not hear that a client has left.
    compatibilityFlags: ["enable_request_signal"],
    log: new Log(LogLevel.ERROR),
    ...options,
  } as ConstructorParameters<typeof Miniflare>[0]);
  await miniflare.ready;
  const { origin } = await miniflare.unsafeGetDirectURL();
  return { origin, miniflare, close: () => miniflare.dispose() };
}
