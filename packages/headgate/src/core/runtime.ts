/**
 * Whether this is a Cloudflare Worker. There, promises, timers and I/O belong to the request that began them, and end with it:
 * what one request waits for, no other may wait for.
 */
export const isWorker: boolean = globalThis.navigator?.userAgent === "Cloudflare-Workers";
