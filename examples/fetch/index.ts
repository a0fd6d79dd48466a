/** For any runtime with a `fetch` handler. As written, it is for Workers; it also runs on Deno and Bun. */
import { createLimiter } from "headgate";
import { admissionOf, clientAddress, rateLimit } from "headgate/fetch";

// Each isolate of a Workers deployment counts for itself, unless you pass a shared store.
const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "ip", key: (ip: string) => ip, limits: "5/minute; 60/hour" }],
});

// A Worker does not see the peer's address: Cloudflare puts it into a header. On Bun and Deno, pass `clientAddress`.
const guard = rateLimit(limiter, { caller: clientAddress.with({ trust: "cloudflare-workers" }) });

export default {
  fetch: guard(async (request) => {
    const left = admissionOf(request)?.tightest?.remaining;
    return new Response(`an expensive answer; ${left} more at once\n`);
  }),
};
