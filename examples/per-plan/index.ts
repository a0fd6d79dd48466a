/** Fastify, with limits by plan. After a change of plan, what was spent stays spent. */
import { fastify } from "fastify";
import { createLimiter } from "headgate";
import { admissionOf, rateLimit } from "headgate/fastify";

const plans = {
  free: "5/minute; 50/day",
  team: "60/minute; 5000/day",
  enterprise: "600/minute",
};
type Plan = keyof typeof plans;
interface Account {
  id: string;
  plan: Plan;
}

/** Replace this with a lookup of a session or an API key. The payer's identity must be verified. */
const accounts: Record<string, Account> = {
  "key-of-ann": { id: "ann", plan: "free" },
  "key-of-bob": { id: "bob", plan: "team" },
};
const nobody: Account = { id: "nobody", plan: "free" }; // callers without an account share one quota

const limiter = createLimiter<Account>({
  name: "chat",
  layers: [{ name: "account", key: ({ id }) => id, plans, plan: ({ plan }) => plan, defaultPlan: "free" }],
});

const app = fastify();

const guard = rateLimit(limiter, {
  caller: async ({ headers }) => accounts[headers["x-api-key"]?.toString() ?? ""] ?? nobody,
});

app.get("/", { onRequest: guard }, async (request) => {
  const admission = admissionOf(request);
  return `an expensive answer; ${admission?.tightest?.remaining} more at once (${admission?.plan})\n`;
});

const origin = await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
console.log(`Listening on ${origin}`);
