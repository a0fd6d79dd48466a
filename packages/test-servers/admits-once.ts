import { createLimiter } from "headgate";

/** Admits one request over the given store and prints who decided. The process must then end by itself. */
const limiter = createLimiter<string>({
  name: "once",
  layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
  store: process.argv[2] ?? "",
});
const { decidedBy } = await limiter.admit("alice");
process.stdout.write(decidedBy);
