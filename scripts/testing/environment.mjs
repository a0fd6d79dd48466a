/** What the service reads from its environment, and what its database driver and React do. */
const CONFIGURING =
  /^(RATE_LIMIT_|CREDIT_|OPENAI_|ANTHROPIC_|LLM_|MODEL_|METRICS_|DECISION_LOG|LIMIT_WEBHOOK_|AI_|BETTER_AUTH_|OPERATOR_|TRUST_|VITE_|VITEST_|PG)|^(DATABASE_URL|PORT|HOST|LOG_LEVEL|PUBLIC_URL|AUTH_SECRET|MAX_BODY_BYTES|MAX_STREAMS|MAIL_URL|MAIL_FROM|PLANS_FILE|ALLOWANCE_TIME_ZONE|REQUIRE_ACCOUNT|SIGN_UP|SHUTDOWN_GRACE_SECONDS|SERVICE_URL|NODE_ENV)$/;

/**
 * Whether a variable would configure what is tested. Tests must come out the same whatever a developer has set.
 *
 * @param {string} name
 */
export function isConfiguring(name) {
  return CONFIGURING.test(name);
}

/**
 * The environment for tests: the given one without what configures the service, and in CI without colours.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function testEnvironment(environment) {
  const kept = Object.fromEntries(Object.entries(environment).filter(([name]) => !isConfiguring(name)));
  if (environment.CI !== "true") return kept;
  // Both together make Node warn that one of them is ignored.
  delete kept.FORCE_COLOR;
  return { ...kept, NO_COLOR: "1" };
}
