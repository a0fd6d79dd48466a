/** Next's App Router: `app/api/chat/route.ts`. */
import { createLimiter } from "headgate";
import { admissionOf, clientAddress, rateLimit } from "headgate/next";

// Created once for the module. Each serverless function counts for itself, unless you pass a shared store.
const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

// Next does not provide the peer's address: name the platform in front, or the number of your own proxies.
const guard = rateLimit(limiter, {
  caller: clientAddress.with({ trust: process.env.TRUST_PROXY ?? "vercel" }),
});

// A handler may take a NextRequest and the route's context: guard(async (request: NextRequest, { params }) => …)
export const POST = guard(async (request) => {
  const left = admissionOf(request)?.tightest?.remaining;
  return new Response(`an expensive answer; ${left} more at once\n`);
});
