import { readdirSync } from "node:fs";

/** The pages of the guide, by their files in `docs/`, in the order of the sidebar. */
const parts: Record<string, Record<string, string>> = {
  Start: {
    "quick-start": "Quick start",
    frameworks: "Frameworks",
    installing: "Installing",
    concepts: "Concepts",
    recipes: "Recipes",
  },
  Guard: {
    "guarding-an-endpoint": "Guard an endpoint",
    limits: "Limits and plans",
    "choosing-an-algorithm": "Algorithms",
    identity: "Users and tokens (identity)",
    idempotency: "Idempotency",
    refusals: "429 responses",
    client: "Browser and React",
    shadow: "Shadow mode",
    "testing-your-own-app": "Test your own app",
  },
  "Language models": {
    ai: "Charge for tokens",
    "token-budgets": "Token budgets and refunds",
    "estimating-tokens": "Estimate tokens",
    "provider-limits": "A provider's limits",
    agents: "Agents, tools and jobs",
  },
  Stores: {
    "choosing-a-store": "Choose a store",
    redis: "Redis and Valkey",
    postgres: "PostgreSQL",
    serverless: "Serverless and edge",
    "writing-a-store": "Write a store",
  },
  Deploy: {
    deploying: "Deploying",
    "behind-a-proxy": "Behind a proxy",
    "many-containers": "Many containers",
    "when-the-store-is-down": "Store outages",
    metrics: "Metrics and logs",
    webhooks: "Webhooks",
    operator: "Operator console",
    replay: "Replay and plan",
    speed: "Speed",
    "chat-service": "The chat service",
  },
  Help: {
    troubleshooting: "Troubleshooting and FAQ",
    errors: "Error codes",
    upgrading: "Upgrading",
  },
  "Move from": {
    "moving-over": "Any other limiter",
    "moving-from-express-rate-limit": "express-rate-limit",
    "moving-from-fastify-rate-limit": "@fastify/rate-limit",
    "moving-from-hono-rate-limiter": "hono-rate-limiter",
    "moving-from-rate-limiter-flexible": "rate-limiter-flexible",
    "moving-from-slowapi": "slowapi",
    "moving-from-upstash-ratelimit": "@upstash/ratelimit",
  },
};

/**
 * The guide's part of the sidebar.
 *
 * @throws Error for a page that is not listed, and for an entry without a page
 */
export function groups(docs: string) {
  const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
  const files = new Set(pages.map((name) => name.slice(0, -".md".length)));
  const placed = Object.values(parts).flatMap((part) => Object.keys(part));
  const homeless = [...files].filter((page) => !placed.includes(page));
  const missing = placed.filter((page) => !files.has(page));
  if (homeless.length + missing.length > 0) {
    throw new Error(
      `site/navigation.mts does not list: ${homeless.join(", ") || "none"}. It lists missing pages: ${missing.join(", ") || "none"}.`,
    );
  }
  return Object.entries(parts).map(([text, part]) => ({
    text,
    items: Object.entries(part).map(([page, label]) => ({ text: label, link: `/${page}` })),
  }));
}
