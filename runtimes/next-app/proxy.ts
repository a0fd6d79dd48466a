import { rateLimit } from "headgate/next";
import { type NextRequest, NextResponse } from "next/server.js";
import { caller } from "./caller.ts";
import { lines, shared, site } from "./limiters.ts";

const next = () => NextResponse.next();
const guards = {
  held: rateLimit(lines, { caller })(next),
  shared: rateLimit(shared, { caller })(next),
  site: rateLimit(site, { caller })(next),
};

export function proxy(request: NextRequest): Response | Promise<Response> {
  const { pathname } = request.nextUrl;
  if (pathname === "/held") return guards.held(request);
  if (pathname.startsWith("/shared/")) return guards.shared(request);
  return guards.site(request);
}

export const config = { matcher: ["/both", "/page", "/sign", "/held", "/shared/:path*"] };
