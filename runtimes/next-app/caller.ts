/** Returns the caller named by the test. */
export const caller = (request: Request) => request.headers.get("x-user") ?? "nobody";
