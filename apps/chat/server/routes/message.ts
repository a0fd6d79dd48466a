import { createUIMessageStreamResponse } from "ai";
import type { Limiter } from "headgate";
import { rateLimit } from "headgate/hono";
import { Hono, type MiddlewareHandler } from "hono";
import { readBody } from "../http/body.ts";
import { limitStreams } from "../http/limit-streams.ts";
import { noteRefusal } from "../http/note-refusal.ts";
import { accountRequired, HttpProblem, paymentRequired } from "../http/problems.ts";
import type { ServiceEnv } from "../http/service-env.ts";
import type { Answering } from "../services/answering.ts";
import type { CreditService } from "../services/credit.ts";
import {
  type IdentitySources,
  identify,
  ownerToBe,
  type RateLimitCaller,
  rateLimitCaller,
} from "../services/identity.ts";
import { messageRequest } from "../services/message-request.ts";
import type { StreamPlaces } from "../services/stream-places.ts";

export interface MessageDependencies {
  sources: IdentitySources;
  chatLimiter: Limiter<RateLimitCaller>;
  credit: CreditService;
  answering: Answering;
  streamPlaces: StreamPlaces;
  bodyLimitBytes: number;
  /** Whether only accounts are answered. */
  requireAccount: boolean;
  /** Whether answers cost anything. */
  isPriced: boolean;
  isStopping(): boolean;
}

/** Proxies cut connections on which nothing comes; a model may think for longer. */
const KEEP_ALIVE_MS = 15_000;

/** Beside the bytes. A thousand messages of some parts each fit, and so does what the tools of an answer say. */
export const BODY_BOUNDS = { depth: 20, nodes: 20_000, stringLength: 131_072 };

/**
 * The expensive route. At its door, behind the limit that counts bodies: the body within its bounds, what it says, who is
 * calling, a place among the answers in flight, the rate limit, then credit. Whoever gets no answer, for whatever reason
 * that was not their own stop, gets the charge back; one that is refused before the rate limit is charged nothing there.
 */
export function messageRoutes(dependencies: MessageDependencies): Hono<ServiceEnv> {
  const {
    sources,
    chatLimiter,
    credit,
    answering,
    streamPlaces,
    bodyLimitBytes,
    requireAccount,
    isPriced,
    isStopping,
  } = dependencies;
  const routes = new Hono<ServiceEnv>();
  const bounds = { ...BODY_BOUNDS, bytes: bodyLimitBytes };

  const accepting: MiddlewareHandler<ServiceEnv> = async (_c, next) => {
    if (isStopping()) throw stopping();
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
  const guard = rateLimit<RateLimitCaller, ServiceEnv>(chatLimiter, {
    caller: (c) => rateLimitCaller(c, sources),
  });
  const door = [
    accepting,
    read,
    known,
    limitStreams(streamPlaces),
    noteRefusal,
    guard,
    refundUnlessServed,
  ] as const;

  routes.post("/chat/message", ...door, async (c) => {
    const { messages, conversation_id: conversationId, replaces } = c.get("asked");
    const identity = await identify(c, sources);
    const payer = isPriced && identity.kind === "account" ? identity.id : undefined;
    if (payer !== undefined) {
      const left = await credit.of(payer);
      if (left.balance <= 0) throw paymentRequired(left);
    }
    const owner = await ownerToBe(c, sources);
    const { conversationId: answeredIn, stream } = await answering.answer({
      question: { owner, payer, messages, conversationId, replaces },
      signal: c.req.raw.signal,
      log: c.get("log"),
      refund: async () => refund(c.get("admission")),
    });
    c.header("X-Conversation-Id", answeredIn);
    const { body, headers } = createUIMessageStreamResponse({ stream, keepAliveMs: KEEP_ALIVE_MS });
    return c.body(body as ReadableStream<Uint8Array>, 200, Object.fromEntries(headers));
  });

  return routes;
}

type Refundable = ServiceEnv["Variables"]["admission"];

async function refund(admission: Refundable): Promise<void> {
  if (admission?.admitted) await admission.end("nothing");
}

/** Gives the charge back when the handler answers with a problem. A client that went away keeps its charge. */
const refundUnlessServed: MiddlewareHandler<ServiceEnv> = async (c, next) => {
  await next();
  if (c.res.status >= 400 && c.res.status !== 499) await refund(c.get("admission"));
};

function stopping(): HttpProblem {
  return new HttpProblem(
    503,
    "stopping",
    "The service is restarting. Please send your message again in a moment.",
    {
      headers: { "Retry-After": "5", Connection: "close" },
    },
  );
}
