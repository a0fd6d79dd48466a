import { rateLimit } from "headgate/next";
import { caller } from "../../caller.ts";
import { chat } from "../../limiters.ts";

export const POST = rateLimit(chat, { caller })(() => new Response("hello"));
