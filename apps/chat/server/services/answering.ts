import type { ModelMessage } from "ai";
import type { Clock, Refused } from "headgate";
import type { Meter } from "headgate/ai";
import type { Logger } from "pino";
import type { AnswerNews, ChatMessage, Micros } from "../../contract.ts";
import { createFairTurns } from "../fair-turns.ts";
import { clientWentAway, HttpProblem, stopping } from "../http/problems.ts";
import { type AnswerLimits, answer, estimatePrompt, modelMessages } from "../model/answer.ts";
import { modelFailure } from "../model/failure.ts";
import { firstToken } from "../model/first-token.ts";
import { costOf } from "../model/price.ts";
import type { ModelChoice } from "../model/provider.ts";
import { noUsage } from "../usage.ts";
import { type AnswerChunk, answerStream, logFailure, type Part } from "./answer-stream.ts";
import type { KnownTurn, Question } from "./asked-question.ts";
import type { Journal } from "./journal.ts";
import { lateStream } from "./late-stream.ts";
import { createLine, LeftTheLine } from "./line.ts";
import type { AnswerRecord } from "./metrics.ts";
import { CHUNK_TOKENS, createSpending, firstHold, type Spending } from "./spending.ts";
import type { Turn, TurnService } from "./turns.ts";
import type { TurnInFlight, TurnsInFlight } from "./turns-in-flight.ts";
import { type UsageMeter, usageMeter } from "./usage-meter.ts";

export interface AnsweringOptions {
  turns: TurnService;
  inFlight: TurnsInFlight;
  journal: Journal;
  clock: Clock;
  /** Limits of an answer that differ from the defaults. */
  limits?: Partial<AnswerLimits>;
  /** Called for each answer that has ended. */
  onAnswered?: ((record: AnswerRecord) => void) | undefined;
  /** How long the response's head waits for the first token. Default: the default of `firstToken`. */
  undecidedAfterMs?: number;
}

export interface AnswerRequest {
  question: Question;
  /** The model that answers, with the price to charge. */
  choice: ModelChoice;
  /** Aborts when the sender leaves. If the question is not stored by then, it is neither stored nor charged. */
  left: AbortSignal;
  /**
   * Whether only the sender can read the answer. If so, the answer stops if the sender leaves before its first token.
   */
  isOnlyForSender: boolean;
  log: Logger;
  /**
   * Charges the answer's tokens to the rate limit, and holds a place until the answer has ended. `undefined` if the
   * limiter failed.
   */
  metered: Meter | undefined;
  /** Refunds the rate limit's charge if the person gets nothing. */
  refund(): Promise<void>;
  /** Returns the caller's remaining quota and credit, together with the answer's cost. */
  news(cost: Micros): Promise<AnswerNews>;
  /** Called when all work for a new answer is done. */
  onEnd(): void;
}

/** A new answer as a stream. */
export interface NewAnswer {
  kind: "new";
  conversationId: string;
  stream: ReadableStream<AnswerChunk>;
}

export interface Answering {
  /**
   * Stores a question and lets the model answer it. Saves and charges the answer, whether it is complete, stopped or
   * failed, and whether or not the client reads it to its end.
   *
   * @returns the answer as a stream, or the turn of a question that was asked before
   * @throws {HttpProblem} what `TurnService.begin` throws; 502, 503 or 504 if the model fails before its first token,
   *   without a charge; 499 if the person stopped it before its first token, or left before the question was stored
   * @throws {QuotaSpent} if fewer tokens are left than the question alone costs
   */
  answer(request: AnswerRequest): Promise<NewAnswer | KnownTurn>;
}

/**
 * The maximum number of questions that are stored at the same time. The limit leaves database connections to answers
 * that are ending. If a thousand people ask in one moment, they wait for each other here, and no answer is lost for
 * lack of a connection.
 */
const MOST_BEGINNINGS = 8;

/** The error if the prompt costs more tokens than the caller has left. */
export class QuotaSpent extends Error {
  override name = "QuotaSpent";
  readonly refused: Refused;
  readonly conversationId: string;

  constructor(refused: Refused, conversationId: string) {
    super("The quota of tokens is spent.");
    this.refused = refused;
    this.conversationId = conversationId;
  }
}

/** Creates the service that turns a question into a stored, charged and streamed answer. */
export function createAnswering(options: AnsweringOptions): Answering {
  const { turns, inFlight, journal, clock, limits = {}, undecidedAfterMs: waitMs } = options;
  const fairTurns = createFairTurns();
  const beginnings = createLine(MOST_BEGINNINGS);

  async function begin(request: AnswerRequest, leave: () => void, place: TurnInFlight) {
    const { choice } = request;
    const terms = { name: choice.name, priceVersion: choice.price.version };
    // Bind before the first await: otherwise a sender who leaves before the model is called would end the charge.
    const bind = bindAhead(request.metered);
    let messages: ModelMessage[] | undefined;
    const read = async (history: ChatMessage[]) => (messages ??= await modelMessages(history));
    const beginTurn = () =>
      turns.begin(request.question, terms, async (history) =>
        firstHold(estimatePrompt(await read(history), choice), choice.price),
      );
    const turn = await beginnings.run(beginTurn, request.left);
    if (turn.kind === "known") {
      place.leave();
      return turn;
    }
    const stop = new AbortController();
    const endStop = () => stop.abort();
    place.signal.addEventListener("abort", endStop);
    const abandoned = request.isOnlyForSender ? request.left : undefined;
    abandoned?.addEventListener("abort", endStop);
    if (place.signal.aborted || abandoned?.aborted) stop.abort();
    const entry = journal.open(turn.answerId, endStop);
    try {
      const given = await read(turn.history);
      const askedAt = performance.now();
      const meter = usageMeter(estimatePrompt(given, choice));
      const spending = turn.payer === undefined ? undefined : spendingOf(turn, choice);
      const opened = await open(choice, given, stop.signal, meter, spending, request.metered);
      const { known, stream: parts, beginning } = opened;
      abandoned?.removeEventListener("abort", endStop);
      if (known === undefined || known.kind === "started") {
        const stream = answerStream({
          turn,
          turns,
          choice,
          createdAt: new Date(clock.now()),
          messages: given,
          parts,
          bind,
          fairTurns,
          beginning,
          meter,
          metered: request.metered,
          spending,
          entry,
          stop,
          serviceEnds: place.signal,
          log: request.log,
          refund: request.refund,
          news: request.news,
          onAnswered: options.onAnswered,
          onEnd() {
            place.signal.removeEventListener("abort", endStop);
            leave();
          },
        });
        return { kind: "new" as const, conversationId: turn.conversationId, stream };
      }
      await refuseIfSpent(request.metered, turn);
      if (known.kind === "stopped") throw place.signal.aborted ? serviceStopped(turn) : stopped();
      logFailure(request.log, known.error);
      const durationMs = performance.now() - askedAt;
      options.onAnswered?.({ choice, usage: noUsage, durationMs, outcome: "failed" });
      throw modelProblem(known.error, turn);
    } catch (error) {
      place.signal.removeEventListener("abort", endStop);
      await entry.close();
      await turns.abandon(turn);
      throw error;
    }
  }

  function spendingOf(turn: Turn, choice: ModelChoice): Spending {
    const { held } = turn;
    return createSpending({ held, price: choice.price, extend: (more) => turns.extend(turn, more) });
  }

  function open(
    choice: ModelChoice,
    messages: ModelMessage[],
    abortSignal: AbortSignal,
    meter: UsageMeter,
    spending: Spending | undefined,
    metered: Meter | undefined,
  ) {
    const mayGoOn = async () => {
      if (spending === undefined) return true;
      const { inputTokens, cachedInputTokens, outputTokens } = meter.usage();
      const next = {
        inputTokens: inputTokens + meter.nextPrompt(),
        cachedInputTokens,
        outputTokens: outputTokens + CHUNK_TOKENS,
      };
      return spending.affords(costOf(next, choice.price));
    };
    const own = { ...choice, model: metered?.model(choice.model) ?? choice.model };
    const given = answer({ choice: own, messages, clock, abortSignal, mayGoOn, limits });
    return firstToken(given.stream, { abortSignal, ...(waitMs === undefined ? {} : { waitMs }) });
  }

  return {
    async answer(request) {
      const place = inFlight.enter();
      const leave = () => {
        place.leave();
        request.onEnd();
      };
      try {
        await fairTurns.take();
        return await begin(request, leave, place);
      } catch (error) {
        leave();
        if (!(error instanceof LeftTheLine)) throw error;
        await request.refund();
        throw clientWentAway("The client disconnected before its question was stored.");
      }
    },
  };
}

/**
 * Binds a meter to an answer that has not begun. @returns a function that takes the answer's stream and returns the
 * bound stream
 */
function bindAhead(metered: Meter | undefined): (parts: ReadableStream<Part>) => ReadableStream<Part> {
  if (metered === undefined) return (parts) => parts;
  const late = lateStream<Part>();
  const bound = metered.bind(late.stream);
  return (parts) => {
    late.open(parts);
    return bound;
  };
}

/** @throws {QuotaSpent} if the answer ended before its first token because a quota is used up */
async function refuseIfSpent(metered: Meter | undefined, { conversationId }: Turn): Promise<void> {
  if (metered?.news().budget === undefined) return;
  const { refused } = await metered.end();
  if (refused) throw new QuotaSpent(refused, conversationId);
}

/** The problem type of the library's own refusals that are not about a caller's quota. */
const reducedCapacity = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

/**
 * Returns the problem for a model's failure. The question is stored, so sending it again with the same id does not
 * store it twice.
 */
function modelProblem(error: unknown, turn: Turn): HttpProblem {
  const { status, detail, code, retryAfterSeconds } = modelFailure(error);
  const { members, headers } = whereItIsStored(turn);
  if (retryAfterSeconds === undefined) return new HttpProblem(status, code, detail, { members, headers });
  return new HttpProblem(status, code, detail, {
    members: {
      ...members,
      type: reducedCapacity,
      retry_after_seconds: retryAfterSeconds,
      waits_for: "window",
    },
    headers: { ...headers, "Retry-After": String(retryAfterSeconds) },
  });
}

function stopped(): HttpProblem {
  return clientWentAway("The answer was stopped before it began.");
}

function serviceStopped(turn: Turn): HttpProblem {
  return stopping(whereItIsStored(turn));
}

function whereItIsStored({ conversationId }: Turn) {
  return { members: { conversation_id: conversationId }, headers: { "X-Conversation-Id": conversationId } };
}
