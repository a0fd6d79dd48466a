/** Limits by plan: each plan is a layer of its own, and counts the accounts that have it. Fastify. */
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

/** Stands for a look-up by a session or a key: what says who pays must be verified. */
const accounts: Record<string, Account> = {
  "key-of-ann": { id: "ann", plan: "free" },
  "key-of-bob": { id: "bob", plan: "team" },
};
const nobody: Account = { id: "nobody", plan: "free" }; // all without an account share one quota

const limiter = createLimiter<Account>({
  name: "chat",
  layers: Object.entries(plans).map(([name, limits]) => ({
    name,
    key: ({ id, plan }) => (plan === name ? id : null), // null: the layer does not apply
    limits,
  })),
});

const app = fastify();

const guard = rateLimit(limiter, {
  caller: async ({ headers }) => accounts[headers["x-api-key"]?.toString() ?? ""] ?? nobody,
});

app.get("/", { onRequest: guard }, async (request) => {
  const { name, remaining } = admissionOf(request)?.tightest ?? {};
  return `an expensive answer; ${remaining} more at once (${name})\n`;
});

const origin = await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
console.log(`Listening on ${origin}`);
