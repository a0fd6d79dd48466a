import { createLimiter } from "headgate";

/** Admits once over the store that it is given, says who decided, and does nothing else: it has to end by itself. */
const limiter = createLimiter<string>({
  name: "once",
  layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
  store: process.argv[2] ?? "",
});
const { decidedBy } = await limiter.admit("alice");
process.stdout.write(decidedBy);
