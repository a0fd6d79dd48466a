/** Creates the guards when the server starts, not at its first request. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") await import("./proxy.ts");
}
