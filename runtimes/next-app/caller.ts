/** Who asks, as the tests say. */
export const caller = (request: Request) => request.headers.get("x-user") ?? "nobody";
