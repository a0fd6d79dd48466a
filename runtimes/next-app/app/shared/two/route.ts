import { rateLimit } from "headgate/next";
import { caller } from "../../../caller.ts";
import { shared } from "../../../limiters.ts";

export const POST = rateLimit(shared, { caller })(() => new Response("hello"));
