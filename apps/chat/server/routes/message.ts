import { createUIMessageStreamResponse } from "ai";
import type { Limiter } from "headgate";
import { type Meter, meter } from "headgate/ai";
import { rateLimit } from "headgate/hono";
import { refusal } from "headgate/http";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { AnswerNews, Micros, StopResponse } from "../../contract.ts";
import { readBody } from "../http/body.ts";
import { describeError } from "../http/describe-error.ts";
import { limitStreams } from "../http/limit-streams.ts";
import { noteRefusal } from "../http/note-refusal.ts";
import { accountRequired, busy, stopping } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import { estimateMessage } from "../model/answer.ts";
import { isPriced } from "../model/price.ts";
import type { AnswerChunk } from "../services/answer-stream.ts";
import { type Answering, type NewAnswer, QuotaSpent } from "../services/answering.ts";
import type { KnownTurn, Question } from "../services/asked-question.ts";
import type { CreditService } from "../services/credit.ts";
import type { Following } from "../services/following.ts";
import {
  type IdentitySources,
  identify,
  ownerOf,
  ownerToBe,
  type RateLimitCaller,
  rateLimitCaller,
} from "../services/identity.ts";
import { quotaOf } from "../services/limits.ts";
import { messageRequest } from "../services/message-request.ts";
import { chosenOf, isAnyPriced, type ModelOffers, type Offered } from "../services/model-offers.ts";
import { CHUNK_TOKENS } from "../services/spending.ts";
import { type StoppingService, stopRequest } from "../services/stopping.ts";
import type { StreamPlaces } from "../services/stream-places.ts";
import type { TurnService } from "../services/turns.ts";
import { claimMessage, claimOf } from "./claim-message.ts";

export interface MessageDependencies {
  sources: IdentitySources;
  modelOffers: ModelOffers;
  chatLimiter: Limiter<RateLimitCaller>;
  credit: CreditService;
  turns: TurnService;
  answering: Answering;
  following: Following;
  stopping: StoppingService;
  /** Limits the simultaneous answers of this process. */
  streamPlaces: StreamPlaces;
  /** Limits the simultaneous readers of answers that other requests started. */
  readerPlaces: StreamPlaces;
  bodyLimitBytes: number;
  /** Whether only accounts get answers. */
  requireAccount: boolean;
  isStopping(): boolean;
}

/** How often a comment keeps a silent stream open: proxies close idle connections. */
const KEEP_ALIVE_MS = 15_000;

/** How long the meter reads an answer after its reader has left. This is longer than an answer can last. */
const LONGEST_ANSWER_MS = 600_000;

/** The limits of a body, in addition to its bytes. A thousand messages with some parts and tool outputs fit. */
export const BODY_BOUNDS = { depth: 20, nodes: 20_000, stringLength: 131_072 };

/**
 * The expensive route, and the routes that stop or resume its answers. After the limit of bodies, it checks in this
 * order: the body's size, its content, the caller, whether the message was sent before, the model, a place among the
 * answers in flight, the rate limit, and credit. A caller who gets no answer is refunded, unless they stopped it
 * themselves. The rate limit does not charge a message that is refused before it, or that was sent before: it claims
 * the message's id with the charge.
 */
export function messageRoutes(dependencies: MessageDependencies): Hono<ServiceEnv> {
  const {
    sources,
    modelOffers,
    chatLimiter,
    credit,
    turns,
    answering,
    following,
    stopping: stopTurns,
    streamPlaces,
    readerPlaces,
    bodyLimitBytes,
    requireAccount,
    isStopping,
  } = dependencies;
  const routes = new Hono<ServiceEnv>();
  const bounds = { ...BODY_BOUNDS, bytes: bodyLimitBytes };

  const accepting: MiddlewareHandler<ServiceEnv> = async (_c, next) => {
    // So that the next request of a client, or of a proxy, opens a connection, perhaps to another process.
    if (isStopping()) throw stopping({ headers: { Connection: "close" } });
    await next();
  };
  const read: MiddlewareHandler<ServiceEnv> = async (c, next) => {
    c.set("asked", await readBody(c, messageRequest, { bounds }));
    await next();
  };
  const known: MiddlewareHandler<ServiceEnv> = async (c, next) => {
    const { kind } = await identify(c, sources);
    if (requireAccount && kind !== "account") throw accountRequired();
    await next();
  };
  /** Answers a message that was sent before with its existing answer. */
  const knownMessage: MiddlewareHandler<ServiceEnv> = async (c, next) => {
    const turn = await findTurn(c);
    if (turn) return followed(c, turn);
    await next();
    if (c.res.status !== 429) return;
    // The same message may have been admitted a moment before, with the last of the quota.
    const twin = await findTurn(c);
    if (!twin) return;
    c.res = undefined;
    c.res = await followed(c, twin);
  };
  /** Refuses a model that the caller's plan does not include, before anything is spent. */
  const modelChosen: MiddlewareHandler<ServiceEnv> = async (c, next) => {
    c.set("choice", chosenOf(await offeredTo(c), c.get("asked").model));
    await next();
  };
  const guard = rateLimit<RateLimitCaller, ServiceEnv>(chatLimiter, {
    caller: (c) => rateLimitCaller(c, sources),
    cost: (c) => ({ tokens: estimateMessage(c.get("asked").messages, c.get("choice")) + CHUNK_TOKENS }),
    idempotency: async (c) => {
      const owner = ownerOf(await identify(c, sources));
      if (owner === undefined || c.get("isUnclaimed")) return undefined;
      return claimOf(questionOf(c, owner));
    },
    onKnown: (message, c) => {
      c.set("knownMessage", message);
      return new Response(null, { status: 409 });
    },
  });
  const claimed = claimMessage(guard, async (c) => {
    const turn = await findTurn(c);
    return turn && followed(c, turn);
  });
  const door = [
    accepting,
    read,
    known,
    knownMessage,
    modelChosen,
    limitStreams(streamPlaces),
    noteRefusal,
    claimed,
    refundUnlessServed,
  ] as const;

  function questionOf(c: Context<ServiceEnv>, owner: string): Question {
    const { messages, conversation_id: conversationId, replaces } = c.get("asked");
    return { owner, payer: undefined, messages, conversationId, replaces };
  }

  /** Returns the account that pays for the answer, if it costs anything. */
  async function payerOf(c: Context<ServiceEnv>): Promise<string | undefined> {
    const identity = await identify(c, sources);
    return identity.kind === "account" && isPriced(c.get("choice").price) ? identity.id : undefined;
  }

  async function offeredTo(c: Context<ServiceEnv>): Promise<Offered> {
    return modelOffers.of(await rateLimitCaller(c, sources));
  }

  async function findTurn(c: Context<ServiceEnv>): Promise<KnownTurn | undefined> {
    const owner = ownerOf(await identify(c, sources));
    return owner === undefined ? undefined : turns.find(questionOf(c, owner));
  }

  async function answered(c: Context<ServiceEnv>, end: () => void): Promise<NewAnswer | KnownTurn> {
    // If a visitor's first request breaks before the browser gets the cookie, nobody can read the answer.
    const isNew = ownerOf(await identify(c, sources)) === undefined;
    let isRunning = false;
    try {
      const answer = await answering.answer({
        question: { ...questionOf(c, await ownerToBe(c, sources)), payer: await payerOf(c) },
        choice: c.get("choice"),
        left: c.req.raw.signal,
        isOnlyForSender: isNew,
        log: c.get("log"),
        metered: metered(c),
        refund: () => refund(c.get("admission")),
        news: (cost) => newsFor(c, cost),
        onEnd: end,
      });
      isRunning = answer.kind === "new";
      return answer;
    } finally {
      if (!isRunning) end();
    }
  }

  /** Creates the answer's meter, which continues without a reader. Its time limit is longer than the answer's own. */
  function metered(c: Context<ServiceEnv>): Meter | undefined {
    const admission = c.get("admission");
    if (!admission?.admitted) return undefined;
    const ofAnswer = meter(admission, {
      onHangUp: "drain",
      drainMs: LONGEST_ANSWER_MS,
      chunk: CHUNK_TOKENS,
      onError: (error) =>
        c.get("log").error({ error: describeError(error) }, "the meter of an answer failed"),
    });
    c.set("meter", ofAnswer);
    return ofAnswer;
  }

  async function newsFor(c: Context<ServiceEnv>, cost: Micros | null): Promise<AnswerNews> {
    const identity = await identify(c, sources);
    const { limits, tightest } = await chatLimiter.peek(await rateLimitCaller(c, sources));
    const isPaying = identity.kind === "account" && isAnyPriced(await offeredTo(c));
    return {
      cost: isPaying ? cost : null,
      quota: quotaOf(limits),
      tightest: tightest?.name ?? null,
      credit: isPaying ? await credit.of(identity.id) : null,
    };
  }

  async function followed(c: Context<ServiceEnv>, turn: KnownTurn): Promise<Response> {
    const { conversationId, answerId } = turn;
    const leave = readerPlaces.take(answerId);
    if (!leave) throw busy();
    return streamed(
      c,
      conversationId,
      following.follow({ conversationId, answerId, news: () => newsFor(c, null), onEnd: leave }),
    );
  }

  routes.post("/chat/message", ...door, async (c) => {
    let end = () => {};
    c.set("answered", new Promise<void>((resolve) => (end = resolve)));
    const answer = await answered(c, end).catch((error) => refusedFor(c, error));
    if (answer instanceof Response) return answer;
    if (answer.kind === "new") return streamed(c, answer.conversationId, answer.stream);
    await refund(c.get("admission"));
    return followed(c, answer);
  });

  routes.post("/chat/stop", async (c) => {
    const target = await readBody(c, stopRequest);
    const stopped = await stopTurns.stop(ownerOf(await identify(c, sources)), target);
    return c.json({ stopped: stopped > 0 } satisfies StopResponse);
  });

  routes.get("/chat/stream/:id", async (c) => {
    const conversationId = c.req.param("id");
    const turn = await stopTurns.running(ownerOf(await identify(c, sources)), conversationId);
    return turn ? followed(c, turn) : c.body(null, 204, { "Cache-Control": "no-store" });
  });

  return routes;
}

/** Returns the refusal for too few tokens. The cost is known only once the conversation has been read. */
function refusedFor(c: Context<ServiceEnv>, error: unknown): Response {
  if (!(error instanceof QuotaSpent)) throw error;
  const { status, headers, body } = refusal(error.refused, { accept: c.req.header("Accept") ?? null });
  // Respond through the context, so that a new visitor's cookie is sent.
  return c.body(body, status as ContentfulStatusCode, {
    ...headers,
    "X-Conversation-Id": error.conversationId,
  });
}

function streamed(c: Context<ServiceEnv>, conversationId: string, stream: ReadableStream<AnswerChunk>) {
  c.header("X-Conversation-Id", conversationId);
  const { body, headers } = createUIMessageStreamResponse({ stream, keepAliveMs: KEEP_ALIVE_MS });
  return c.body(body as ReadableStream<Uint8Array>, 200, Object.fromEntries(headers));
}

type Refundable = ServiceEnv["Variables"]["admission"];

async function refund(admission: Refundable): Promise<void> {
  if (admission?.admitted) await admission.end("nothing");
}

/** Ends the charge of an answer that did not begin. It is refunded, unless the person stopped the answer. */
const refundUnlessServed: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  await next();
  if (c.res.status < 400) return;
  if (c.res.status !== 499) await refund(c.get("admission"));
  await c.get("meter")?.end();
};
