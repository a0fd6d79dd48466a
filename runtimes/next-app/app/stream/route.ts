import { rateLimit } from "headgate/next";
import { caller } from "../../caller.ts";
import { places } from "../../limiters.ts";
import { unending } from "../../stream.ts";

export const GET = rateLimit(places, { caller })(unending);
