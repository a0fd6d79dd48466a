import { readdirSync } from "node:fs";

/** The pages of the guide, by their files in `docs/`, in the order in which the site lists them. */
const parts: Record<string, Record<string, string>> = {
  Start: {
    "quick-start": "Quick start",
    installing: "Installing",
    concepts: "Concepts",
    recipes: "Recipes",
  },
  Guarding: {
    "guarding-an-endpoint": "An endpoint",
    limits: "Limits",
    "choosing-an-algorithm": "Choosing an algorithm",
    "token-budgets": "Token budgets and refunds",
    ai: "A chat's endpoint",
    "estimating-tokens": "Estimating tokens",
    "provider-limits": "A provider's limits",
    agents: "Agents, tools, jobs",
    identity: "Who is calling",
    "caller-address": "Whose address it is",
    refusals: "Refusals",
    client: "In the browser",
    frameworks: "Frameworks",
    "testing-your-own-app": "Testing your own app",
  },
  Stores: {
    "choosing-a-store": "Choosing a store",
    redis: "Redis and Valkey",
    postgres: "PostgreSQL",
    serverless: "Serverless and edge",
    "writing-a-store": "Writing a store",
  },
  Operating: {
    "when-the-store-is-down": "When the store is down",
    "many-containers": "In many containers",
    metrics: "Metrics",
    webhooks: "Webhooks",
    operator: "The operator's console",
    shadow: "Trying a change",
    replay: "Replay and plan",
    speed: "Speed",
    "chat-service": "The chat service",
  },
  "Moving over": {
    "moving-over": "Moving over",
    "moving-from-express-rate-limit": "express-rate-limit",
    "moving-from-fastify-rate-limit": "@fastify/rate-limit",
    "moving-from-hono-rate-limiter": "hono-rate-limiter",
    "moving-from-rate-limiter-flexible": "rate-limiter-flexible",
    "moving-from-slowapi": "slowapi",
    "moving-from-upstash-ratelimit": "@upstash/ratelimit",
  },
};
/** Has its place beside the reference. */
const elsewhere = ["errors"];

/**
 * The guide's part of the sidebar.
 *
 * @throws Error for a page without a place, and for a place without a page
 */
export function groups(docs: string) {
  const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
  const files = new Set(pages.map((name) => name.slice(0, -".md".length)));
  const placed = [...Object.values(parts).flatMap((part) => Object.keys(part)), ...elsewhere];
  const homeless = [...files].filter((page) => !placed.includes(page));
  const missing = placed.filter((page) => !files.has(page));
  if (homeless.length + missing.length > 0) {
    throw new Error(
      `site/navigation.mts has no place for: ${homeless.join(", ") || "none"}; and no page for: ${missing.join(", ") || "none"}.`,
    );
  }
  return Object.entries(parts).map(([text, part]) => ({
    text,
    items: Object.entries(part).map(([page, label]) => ({ text: label, link: `/${page}` })),
  }));
}
