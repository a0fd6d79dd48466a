/** Any runtime that takes a handler of `fetch`'s kind: Workers, here; also Deno and Bun. */
import { createLimiter } from "headgate";
import { admissionOf, rateLimit } from "headgate/fetch";

// Each isolate of a Workers deployment counts for itself: give it a shared store to count together.
const limiter = createLimiter<{ ip: string }>({
  name: "chat",
  layers: [{ name: "ip", key: ({ ip }) => ip, limits: "5/minute; 60/hour" }],
});

const guard = rateLimit(limiter, {
  // Cloudflare writes this field itself; nobody can forge it there. On other platforms, take what they vouch for.
  caller: (request) => ({ ip: request.headers.get("CF-Connecting-IP") ?? "unknown" }),
});

export default {
  fetch: guard(async (request) => {
    const left = admissionOf(request)?.tightest?.remaining;
    return new Response(`an expensive answer; ${left} more at once\n`);
  }),
};
