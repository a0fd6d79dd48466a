import { createHmac } from "node:crypto";
import type { Server } from "node:http";
import { hostname } from "node:os";
import { createAdaptorServer } from "@hono/node-server";
import type { Clock, Limiter } from "headgate";
import { governedModel } from "headgate/ai";
import type { DecisionLog } from "headgate/log";
import { type Collector, createCollector } from "headgate-console";
import type { Hono } from "hono";
import { type Logger, pino } from "pino";
import { taxYears } from "../tax/tax-year.ts";
import { createApp } from "./app.ts";
import { ConfigError } from "./config/config-error.ts";
import { type Config, loadConfig } from "./config/index.ts";
import type { Environment } from "./config/variables.ts";
import { type OpenDatabase, openDatabase } from "./database/connect.ts";
import { continueOnceCounted } from "./http/bodies.ts";
import { builtPage } from "./http/built-page.ts";
import { limitConnections } from "./http/connections.ts";
import { describeError } from "./http/describe-error.ts";
import { isLoopback } from "./http/host.ts";
import { listen } from "./http/listen.ts";
import type { ServiceEnv } from "./http/service-env.ts";
import { createLog } from "./log.ts";
import type { AnswerLimits } from "./model/answer.ts";
import { type Exchange, isPriced } from "./model/price.ts";
import { LIST_CURRENCY, listRates } from "./model/price-list.ts";
import { chooseModels, type ModelChoice, ModelConfigError } from "./model/provider.ts";
import { holdEmbeddedFolder } from "./operator/hold-folder.ts";
import { metricsApp } from "./routes/metrics.ts";
import type { OperatorConsole } from "./routes/operator.ts";
import { createAccountOwner } from "./services/account-owner.ts";
import { authSecretOf, createAccounts, linkOriginOf } from "./services/accounts.ts";
import { createAnswering } from "./services/answering.ts";
import { auditSettings } from "./services/audit.ts";
import { createCallerLimits } from "./services/caller-limits.ts";
import { createConversations } from "./services/conversations.ts";
import { createCredit } from "./services/credit.ts";
import { createCreditCodes } from "./services/credit-codes.ts";
import { keepCurrency } from "./services/currency.ts";
import { openDecisionLog } from "./services/decision-log.ts";
import { createFollowing, LEASE_MS } from "./services/following.ts";
import { createHistory } from "./services/history.ts";
import type { RateLimitCaller } from "./services/identity.ts";
import { createJournal } from "./services/journal.ts";
import { openLimitWebhook } from "./services/limit-webhook.ts";
import { type Closers, openLimiters } from "./services/limiters.ts";
import { createMailer } from "./services/mail.ts";
import { createMetrics, type Metrics } from "./services/metrics.ts";
import { createModelOffers } from "./services/model-offers.ts";
import { createOperatorDesk } from "./services/operator-desk.ts";
import { creditTerms, openPlans } from "./services/plans.ts";
import { createPolicies } from "./services/policies.ts";
import { createPolicyReplay } from "./services/policy-replay.ts";
import { createProcessSummaries } from "./services/process-summaries.ts";
import { createReadiness } from "./services/readiness.ts";
import { createStopping } from "./services/stopping.ts";
import { createStreamPlaces } from "./services/stream-places.ts";
import { createTitles } from "./services/titles.ts";
import { trustPrivate } from "./services/trust-private.ts";
import { createTurns, type TurnService } from "./services/turns.ts";
import { createTurnsInFlight } from "./services/turns-in-flight.ts";

export interface ServiceOptions {
  /** The environment variables; `process.env` outside of tests. */
  env: Environment;
  /** The clock of limits, credit and stored times. Default: the wall clock. */
  clock?: Clock;
  /** One model, or several, the default first. Default: the models of the environment. */
  model?: ModelChoice | [ModelChoice, ...ModelChoice[]];
  /** The time limits and retries of a model. Default: those of the model folder. */
  answerLimits?: Partial<AnswerLimits>;
  /** How long a response's head waits for the model's first token. Default: that of the model folder. */
  undecidedAfterMs?: number;
  /** Default: JSON lines on standard output. */
  log?: Logger;
  /** The folder of the built page. Default: the workspace's. */
  webRoot?: string;
  /** Replaces the database of `DATABASE_URL`, and stays open, so that several services of a test can share it. */
  database?: OpenDatabase;
  /** Replaces the limiter of `POST /chat/message`, for tests with a broken limiter. */
  chatLimiter?: Limiter<RateLimitCaller>;
}

export interface Service {
  /** The address, such as `http://localhost:3000`. */
  url: string;
  app: Hono<ServiceEnv>;
  database: OpenDatabase["database"];
  /**
   * Stops the service: accepts nothing new, reports at `/ready` that it is stopping, waits for answers in flight during
   * the grace period, saves partial answers, and closes everything. A second call waits for the same.
   */
  close(): Promise<void>;
}

/**
 * Starts the service: configuration, database, routes, port.
 *
 * @throws {StartError} with a message for the operator, if the configuration prevents the start; everything opened so
 * far is closed again
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const config = loadConfig(options.env);
  const log = options.log ?? logOf(config);
  const clock = options.clock ?? { now: Date.now };
  const chosen = options.model ? ([options.model].flat() as [ModelChoice]) : modelsFrom(options.env, clock);
  for (const { warnings } of chosen) for (const warning of warnings) log.warn({ warning }, "model");
  const exchange = exchangeOf(config, chosen);

  const closers: Closers = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };

  try {
    const { database: location } = config;
    const isOwnFolder = !options.database && location.kind === "embedded";
    const door = isOwnFolder ? await holdEmbeddedFolder(location.folder) : undefined;
    if (door) closers.push(door.close);
    const open = options.database ?? (await openDatabase(location));
    if (!options.database) closers.push(open.close);
    const { database } = open;
    await keepCurrency(database, config.credit.currency);

    const names = chosen.map(({ name }) => name);
    const plans = config.plansFile === null ? undefined : openPlans(config.plansFile, log, names);
    if (plans) closers.push(plans.close);
    const context = { config, plans, clock, log };
    let decisions: DecisionLog | undefined;
    // Closed after the limiters, which log their last lines when they close.
    closers.push(() => decisions?.close());
    const limiters = openLimiters(context, options.chatLimiter, closers);
    const [first, ...others] = chosen;
    const governedBy = (choice: ModelChoice) => governed(choice, limiters.provider, clock);
    const modelOffers = createModelOffers([governedBy(first), ...others.map(governedBy)], plans, exchange);

    const metrics = metricsOf(config);
    if (metrics) {
      closers.push(metrics.close);
      for (const limiter of limiters.all) metrics.observe(limiter);
    }

    const mail = config.mail && createMailer(config.mail, log);
    if (mail) closers.push(() => mail.close());
    const secret = await authSecretOf(database, config.authSecret);
    if (config.decisionLog) {
      decisions = openDecisionLog(config.decisionLog, secret, log);
      for (const limiter of limiters.all) decisions.record(limiter);
    }
    if (config.limitWebhook) {
      const notices = openLimitWebhook(limiters.chat, config.limitWebhook, config.limits.storageUri, log);
      closers.push(notices.close);
    }
    await auditSettings(database, clock, config);
    const isAlone = !open.isShared && !options.database;
    const policies = createPolicies({
      ...context,
      database,
      chat: limiters.chat,
      others: limiters.managed,
      replay:
        config.decisionLog && decisions
          ? createPolicyReplay({ where: config.decisionLog.where, decisions, clock })
          : undefined,
    });
    closers.push(policies.close);
    plans?.watch(policies.usePlans);
    const visitorSecret = createHmac("sha256", secret).update("visitor cookie").digest("base64url");
    const { publicUrl, userIdHeader, requireAccount, signUp } = config;
    const trustProxy = config.trustProxy ?? trustPrivate(log);
    const accounts = createAccounts({
      database,
      secret,
      publicUrl,
      linkOrigin: linkOriginOf(config),
      signUp,
      mail,
      log,
    });
    const sources = { accounts, trustProxy, userIdHeader, visitorSecret, publicUrl };
    const history = createHistory(database);
    const conversations = createConversations(database, clock, history);
    const credit = createCredit(database, clock, creditTerms(config, plans, mail !== null));
    const codes = createCreditCodes(database, clock, credit);
    const callerLimits = createCallerLimits({ database, clock, limiter: limiters.chat, accounts });
    const { currency } = config.credit;
    const desk = createOperatorDesk({ database, clock, callerLimits, credit, codes, currency });
    door?.serve({ database, clock, credit, codes, accounts, plans, callerLimits }, log);
    const turns = createTurns(database, clock, credit, open.reserved);
    const inFlight = createTurnsInFlight();
    const journal = createJournal({ database: open.reserved, log });
    closers.push(journal.close);
    const operator = limiters.operator
      ? openConsole({
          ...context,
          database,
          isAlone,
          limiter: limiters.operator,
          limiters: limiters.all,
          desk,
          policies: policies.desk,
          closers,
        })
      : null;
    // If no other process uses the database, all answers that seem to run were cut off with their process.
    closers.push(await sweepTurns(turns, isAlone ? 0 : LEASE_MS, log));

    const app = createApp({
      log,
      bodyLimitBytes: config.bodyLimitBytes,
      bodiesLimiter: limiters.bodies,
      streamPlaces: createStreamPlaces(config.maxStreams),
      webRoot: options.webRoot ?? builtPage,
      host: config.host,
      publicUrl,
      trustProxy,
      visitorSecret,
      sources,
      accounts,
      accountOwner: createAccountOwner(database, clock, history),
      topUps: codes,
      conversations,
      credit,
      turns,
      following: createFollowing({ database, turns }),
      stopping: createStopping(database, journal),
      readerPlaces: createStreamPlaces(config.maxStreams, MOST_READERS_OF_ONE),
      answering: createAnswering({
        turns,
        inFlight,
        journal,
        clock,
        onAnswered: metrics?.answered,
        ...(options.answerLimits ? { limits: options.answerLimits } : {}),
        ...(options.undecidedAfterMs === undefined ? {} : { undecidedAfterMs: options.undecidedAfterMs }),
      }),
      titles: createTitles({ database, clock, turns }),
      chatLimiter: limiters.chat,
      signInLimiter: limiters.signIn,
      searchLimiter: limiters.searches,
      readLimiter: limiters.reads,
      mailLimiter: limiters.mail,
      limiters: limiters.byName,
      metrics,
      metricsToken: config.metrics.token,
      operator,
      requireAccount,
      signUp,
      operatorEmails: config.operator.emails,
      offers: { required: requireAccount, signUp: signUp === "open", mail: mail !== null },
      model: { name: first.name, builtIn: first.builtIn },
      modelOffers,
      taxYearsKnown: taxYears,
      readiness: createReadiness(open),
      isStopping: () => inFlight.isStopping,
    });

    warnOfOpenDoors(config, log);
    await awaitStore(limiters.all, log);
    await policies.start(isAlone);
    await callerLimits.restore(log);

    if (metrics) await serveMetrics(metrics, config.metrics, log, closers);
    const server = createAdaptorServer({ fetch: app.fetch, serverOptions: ARRIVAL });
    continueOnceCounted(server);
    limitConnections(server as Server);
    const listening = await listen(server, config);
    const { url } = listening;
    log.info({ url, models: names, database: location.kind }, "ready");

    let closing: Promise<void> | undefined;
    async function closeOnce(): Promise<void> {
      log.info({ answersInFlight: inFlight.count }, "stopping");
      await stopServing(server, listening, () => inFlight.stop(config.shutdownGraceMs));
      await closeAll();
      log.info("stopped");
    }
    return { url, app, database, close: () => (closing ??= closeOnce()) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The time limits for a request to arrive, against connections that are held open. */
const ARRIVAL = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 };

/** Readers of one answer that was started by another request. Each of them asks the database four times a second. */
const MOST_READERS_OF_ONE = 10;

/** How long an answer's last bytes may take to be sent after it was saved. */
const LAST_BYTES_MS = 1_000;

/** After this time, the service starts without the store. */
const STORE_READY_MS = 5_000;

/** How often answers of ended processes are ended. */
const SWEEP_EVERY_MS = 10_000;

/** Serves the metrics on a separate port, if one is set. */
async function serveMetrics(
  metrics: Metrics,
  { host, port }: Config["metrics"],
  log: Logger,
  closers: Closers,
): Promise<void> {
  if (port === null) return;
  const server = createAdaptorServer({ fetch: metricsApp(metrics, host).fetch, serverOptions: ARRIVAL });
  limitConnections(server as Server);
  const listening = await listen(server, { host, port }, "METRICS");
  closers.push(() => {
    const isClosed = listening.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
    return isClosed;
  });
  log.info({ url: `${listening.url}/metrics` }, "metrics");
}

/** Accepts nothing new, waits for the answers in flight, and ends what is left of the connections. */
async function stopServing(
  server: ReturnType<typeof createAdaptorServer>,
  listening: Awaited<ReturnType<typeof listen>>,
  stopAnswers: () => Promise<void>,
): Promise<void> {
  const stopped = listening.close();
  if ("closeIdleConnections" in server) server.closeIdleConnections();
  await stopAnswers();
  // The remaining connections are idle, or their clients do not read.
  if ("closeAllConnections" in server) setTimeout(() => server.closeAllConnections(), LAST_BYTES_MS).unref();
  await stopped;
}

/** Ends the answers of killed processes, now and regularly. @returns a function that stops this */
async function sweepTurns(turns: TurnService, leaseMs: number, log: Logger): Promise<() => void> {
  async function sweep(lease: number): Promise<void> {
    try {
      const swept = await turns.sweep(lease);
      if (swept > 0) log.warn({ swept }, "answers were cut off when their process ended");
    } catch (error) {
      log.error({ error: describeError(error) }, "cannot end answers that were cut off");
    }
  }
  await sweep(leaseMs);
  const timer = setInterval(() => void sweep(LEASE_MS), SWEEP_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Warns about risky settings of a service that others can reach. */
function warnOfOpenDoors({ host, signUp, mail }: Config, log: Logger): void {
  const isReachable = !isLoopback(host);
  if (signUp === "closed" || mail !== null || !isReachable) return;
  log.warn(
    "MAIL_URL is not set, so e-mail addresses are not confirmed: anybody can create accounts, and each gets the monthly allowance at once. Set MAIL_URL, or SIGN_UP=closed.",
  );
}

function logOf(config: Config): Logger {
  // On a terminal, log only warnings and errors.
  const level = config.logLevel ?? (process.stdout.isTTY ? "warn" : "info");
  return createLog({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}

/**
 * Limits the calls of a provider without waiting, so that a person sees the wait at once. The built-in responder needs
 * no limit.
 */
function governed(choice: ModelChoice, limiter: Limiter<string>, clock: Clock): ModelChoice {
  if (choice.builtIn) return choice;
  return {
    ...choice,
    model: governedModel(choice.model, limiter, { caller: choice.name, maxWaitMs: 0, clock }),
  };
}

/** @throws {ConfigError} if a model has a price, and no exchange rate to the service's currency is set or kept */
function exchangeOf({ credit }: Config, choices: readonly ModelChoice[]): Exchange {
  const { currency, exchangeRate } = credit;
  if (currency === LIST_CURRENCY || exchangeRate !== null)
    return { currency, rate: exchangeRate ?? 1_000_000 };
  const kept = Object.hasOwn(listRates, currency) ? listRates[currency] : undefined;
  if (kept) return { currency, ...kept };
  const priced = choices.find(({ price }) => isPriced(price));
  if (priced) {
    throw new ConfigError([
      `CREDIT_EXCHANGE_RATE is not set but CREDIT_CURRENCY is ${currency}, and the prices of ${priced.name} are in ${LIST_CURRENCY}: it should be what one ${LIST_CURRENCY} costs in ${currency}, such as 0.79.`,
    ]);
  }
  // There is nothing to convert.
  return { currency, rate: 1_000_000 };
}

function modelsFrom(env: Environment, clock: Clock): [ModelChoice, ...ModelChoice[]] {
  try {
    return chooseModels(env, { clock });
  } catch (error) {
    if (error instanceof ModelConfigError) throw new ConfigError([error.message]);
    throw error;
  }
}

/** Waits for the store, because requests before the first connection would be counted only by this process. */
async function awaitStore(limiters: readonly Pick<Limiter<never>, "ready">[], log: Logger): Promise<void> {
  try {
    await Promise.all(limiters.map((limiter) => limiter.ready({ timeoutMs: STORE_READY_MS })));
  } catch (error) {
    log.error(
      { error: describeError(error) },
      "the limits' store does not answer: the service starts without it, and counts by itself until the store answers",
    );
  }
}

/** Creates metrics if they can be read. */
function metricsOf({ metrics }: Config): Metrics | undefined {
  return metrics.token === null && metrics.port === null ? undefined : createMetrics();
}

interface ConsoleParts {
  config: Config;
  clock: Clock;
  log: Logger;
  database: OpenDatabase["database"];
  /** Whether no other process can share the database. */
  isAlone: boolean;
  limiter: OperatorConsole["limiter"];
  limiters: Parameters<typeof createCollector>[0];
  desk: ReturnType<typeof createOperatorDesk>;
  policies: OperatorConsole["policies"];
  closers: Closers;
}

/** Starts to count for the operator console, and to share the counts with other processes. */
function openConsole(parts: ConsoleParts): OperatorConsole {
  const { config, clock, log, database, isAlone, limiter, limiters, desk, policies, closers } = parts;
  const name = `${hostname()} ${process.pid}`;
  const collector: Collector = createCollector(limiters, { name, clock });
  closers.push(collector.stop);
  const summaries = isAlone ? undefined : createProcessSummaries({ database, collector, log });
  if (summaries) closers.push(summaries.close);
  return { ...config.operator, ...desk, policies, collector, others: summaries?.others, limiter, clock, log };
}
