import type { Clock } from "headgate";
import type { Logger } from "pino";
import { clientWentAway, HttpProblem } from "../http/problems.ts";
import { type AnswerLimits, answer, modelMessages } from "../model/answer.ts";
import { modelFailure } from "../model/failure.ts";
import { firstToken } from "../model/first-token.ts";
import type { ModelChoice } from "../model/provider.ts";
import { type AnswerChunk, answerStream, logFailure } from "./answer-stream.ts";
import type { Question, Turn, TurnService } from "./turns.ts";
import type { TurnInFlight, TurnsInFlight } from "./turns-in-flight.ts";

export interface AnsweringOptions {
  turns: TurnService;
  inFlight: TurnsInFlight;
  choice: ModelChoice;
  clock: Clock;
  /** Where they differ from the model's own. */
  limits?: Partial<AnswerLimits>;
  /** How long the answer's head waits for the first token. Default: `firstToken`'s. */
  undecidedAfterMs?: number;
}

export interface AnswerRequest {
  question: Question;
  /** Aborts when the person stops or their connection drops. */
  signal: AbortSignal;
  log: Logger;
  /** Gives the rate limit's charge back, where the person was given nothing after all. */
  refund(): Promise<void>;
}

export interface Answering {
  /**
   * Stores a question and has the model answer it; saves and charges what was answered: whole, stopped or failed, read
   * to its end by the client or not.
   *
   * @returns the answer as it comes
   * @throws {HttpProblem} what `TurnService.begin` throws; 502, 503 or 504 when the model fails before its first token,
   *   in which case no credit is charged; 499 when the client went away before that
   */
  answer(request: AnswerRequest): Promise<{ conversationId: string; stream: ReadableStream<AnswerChunk> }>;
}

/** Makes the service that turns a question into a stored, charged and streamed answer. */
export function createAnswering(options: AnsweringOptions): Answering {
  const { turns, inFlight, choice, clock, limits = {}, undecidedAfterMs: waitMs } = options;

  async function begin(request: AnswerRequest, place: TurnInFlight) {
    const { signal, log, refund } = request;
    const turn = await turns.begin(request.question);
    const abort = new AbortController();
    const abortSignal = AbortSignal.any([signal, place.signal, abort.signal]);
    const opened = await open(turn, abortSignal);
    const { known, messages, stream, beginning } = opened;
    if (known === undefined || known.kind === "started") {
      const answered = answerStream({
        turn,
        turns,
        choice,
        createdAt: new Date(clock.now()),
        messages,
        parts: stream,
        beginning,
        abort,
        abortSignal,
        log,
        refund,
        onEnd: place.leave,
      });
      return { conversationId: turn.conversationId, stream: answered };
    }
    await turns.abandon(turn);
    if (known.kind === "stopped") {
      throw signal.aborted
        ? clientWentAway("The request was stopped before its answer began.")
        : serviceStopped(turn);
    }
    logFailure(log, known.error);
    throw modelProblem(known.error, turn);
  }

  async function open(turn: Turn, abortSignal: AbortSignal) {
    try {
      const messages = await modelMessages(turn.history);
      const given = answer({ choice, messages, clock, abortSignal, limits });
      return {
        messages,
        ...(await firstToken(given.stream, { abortSignal, ...(waitMs === undefined ? {} : { waitMs }) })),
      };
    } catch (error) {
      await turns.abandon(turn);
      throw error;
    }
  }

  return {
    async answer(request) {
      const place = inFlight.enter();
      try {
        return await begin(request, place);
      } catch (error) {
        place.leave();
        throw error;
      }
    },
  };
}

/** The question is stored: sent again under the same id, it is answered, not stored twice. */
function modelProblem(error: unknown, turn: Turn): HttpProblem {
  const { status, detail, code } = modelFailure(error);
  return new HttpProblem(status, code, detail, whereItIsStored(turn));
}

function serviceStopped(turn: Turn): HttpProblem {
  const detail = "The service is restarting. Please send your message again in a moment.";
  return new HttpProblem(503, "stopping", detail, whereItIsStored(turn));
}

function whereItIsStored({ conversationId }: Turn) {
  return { members: { conversation_id: conversationId }, headers: { "X-Conversation-Id": conversationId } };
}
