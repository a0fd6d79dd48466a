import type { Handle } from "./handle.ts";

/** Keeps leases alive while their handles are in use. */
export interface Heartbeat {
  add(handle: Handle, windowMs: number): void;
  remove(handle: Handle): void;
  /** Renews everything that is held. Called by the timer; public so that tests need none. */
  beat(): Promise<void>;
  stop(): void;
}

/** A lease is renewed this often within its window: two beats may be lost before it ends. */
const beatsPerWindow = 3;
const longestIntervalMs = 60_000;

/**
 * One timer a limiter, and only while leases are held. Handles are held weakly: one that was lost without being
 * released is not kept alive, and its places come free one window later.
 */
export function createHeartbeat(report: (error: unknown) => void): Heartbeat {
  const held = new Set<WeakRef<Handle>>();
  const references = new WeakMap<Handle, WeakRef<Handle>>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let intervalMs = Number.POSITIVE_INFINITY;

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    intervalMs = Number.POSITIVE_INFINITY;
  }

  async function beat(): Promise<void> {
    const renewing: (void | Promise<void>)[] = [];
    for (const reference of held) {
      const handle = reference.deref();
      if (handle?.leased) renewing.push(handle.renew());
      else held.delete(reference);
    }
    if (held.size === 0) stop();
    await Promise.all(renewing);
  }

  function start(ms: number): void {
    clearInterval(timer);
    intervalMs = ms;
    timer = setInterval(() => void beat().catch(report), ms);
    // A lease must not keep a process alive that is otherwise done.
    if (typeof timer === "object" && "unref" in timer) timer.unref();
  }

  return {
    beat,
    stop,

    add(handle, windowMs) {
      const reference = new WeakRef(handle);
      held.add(reference);
      references.set(handle, reference);
      const wanted = Math.max(1, Math.min(longestIntervalMs, Math.floor(windowMs / beatsPerWindow)));
      if (wanted < intervalMs) start(wanted);
    },

    remove(handle) {
      const reference = references.get(handle);
      if (reference !== undefined) held.delete(reference);
      if (held.size === 0) stop();
    },
  };
}
