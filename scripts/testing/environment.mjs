/** The variables that the service, its database driver and React read. */
const CONFIGURING =
  /^(RATE_LIMIT_|CREDIT_|OPENAI_|ANTHROPIC_|LLM_|MODEL_|METRICS_|DECISION_LOG|LIMIT_WEBHOOK_|AI_|BETTER_AUTH_|OPERATOR_|TRUST_|VITE_|VITEST_|PG)|^(DATABASE_URL|PORT|HOST|LOG_LEVEL|PUBLIC_URL|AUTH_SECRET|MAX_BODY_BYTES|MAX_STREAMS|MAIL_URL|MAIL_FROM|PLANS_FILE|ALLOWANCE_TIME_ZONE|REQUIRE_ACCOUNT|SIGN_UP|SHUTDOWN_GRACE_SECONDS|SERVICE_URL|NODE_ENV)$/;

/**
 * Whether a variable would configure the tested code. Tests must not depend on a developer's settings.
 *
 * @param {string} name
 */
export function isConfiguring(name) {
  return CONFIGURING.test(name);
}

/**
 * Returns an environment for tests: the given one without variables that configure the service, and in CI without
 * colours.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function testEnvironment(environment) {
  const kept = Object.fromEntries(Object.entries(environment).filter(([name]) => !isConfiguring(name)));
  if (environment.CI !== "true") return kept;
  // Node warns if both variables are set.
  delete kept.FORCE_COLOR;
  return { ...kept, NO_COLOR: "1" };
}
