/**
 * Whether this is a Cloudflare Worker. There, promises, timers and I/O belong to the request that started them and end
 * with it. One request must not wait for the promise of another.
 */
export const isWorker: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers";
