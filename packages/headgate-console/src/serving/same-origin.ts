/**
 * Whether the browser says that a page of this very origin sent the request. A request without that information is refused
 * too: every browser sends one of the two fields, and a program can.
 *
 * @param origin what browsers see, where a proxy changes `Host` on the way; `undefined`: what the request's address says
 */
export function isFromOwnPage(request: Request, origin: string | undefined): boolean {
  const site = request.headers.get("Sec-Fetch-Site");
  if (site !== null && site !== "same-origin") return false;
  const given = request.headers.get("Origin");
  if (given === null) return site === "same-origin";
  if (!URL.canParse(given)) return false;
  if (origin !== undefined) return new URL(given).origin === origin;
  // The scheme is left out: behind a proxy that ends TLS, the service does not know the browser's.
  return new URL(given).host === new URL(request.url).host;
}
