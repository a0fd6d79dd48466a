/**
 * Whether a page of this origin sent the request, according to the browser. `false` if the request has neither
 * `Sec-Fetch-Site` nor `Origin`: every browser sends one of the two, and a program can send one.
 *
 * @param origin the origin that browsers see, if a proxy changes `Host`; `undefined` for the request's own
 */
export function isFromOwnPage(request: Request, origin: string | undefined): boolean {
  const site = request.headers.get("Sec-Fetch-Site");
  if (site !== null && site !== "same-origin") return false;
  const given = request.headers.get("Origin");
  if (given === null) return site === "same-origin";
  if (!URL.canParse(given)) return false;
  if (origin !== undefined) return new URL(given).origin === origin;
  // The scheme is not compared: behind a proxy that terminates TLS, the service does not know the browser's scheme.
  return new URL(given).host === new URL(request.url).host;
}
