import { createLimiter } from "headgate";
import { rateLimit } from "headgate/fetch";

const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "user", key: (user: string) => user, limits: "2/minute; 1000 tokens/hour" }],
});

const guard = rateLimit(limiter, {
  caller: (request: Request) => new URL(request.url).searchParams.get("user") ?? "anybody",
});

/** The program for every engine: a guard over the memory store, created while the module loads. */
export default { fetch: guard(() => new Response("hello")) };
