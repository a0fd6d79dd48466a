import { HeadgateError, UnreadableStateError } from "../../core/errors.ts";
import type { LimitSet } from "../../core/limit-set.ts";
import { type Override, readNote } from "../../core/override.ts";
import type { Outcome, Reading } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { orderOf } from "../shared/order.ts";
import { latestMs, type Request } from "./encode.ts";

/** The result of one request. A fault is a value, so that it does not fail the other requests of the same call. */
type Answer = Outcome | Error;

/** The reasons that a status gives for a refusal. */
const reasons: readonly Outcome["refusedFor"][] = [
  undefined,
  undefined,
  undefined,
  "ended",
  "crowded",
  "blocked",
  "overridden",
];

const knownStates = ["running", "done", "conflict"] as const;

/** Refused because of charges by other attempts that are not decided yet. */
const contendedStatus = 7;

const nothing: Outcome = { admitted: true, now: 0, readings: [], marks: [] };

/**
 * Reads the script's flat list of numbers: the server's time in microseconds if it was asked, then the answers in their order.
 *
 * @throws Error if the list is not one that the script returns.
 */
export function readReply(requests: readonly Request[], reply: unknown): Answer[] {
  const numbers = numbersOf(reply);
  // The notes of overrides are among these numbers.
  const texts = reply as readonly unknown[];
  const serverMicros = numbers[0] as number;
  const serverNow = Math.floor(serverMicros / 1000);
  let at = 1;

  /** Reads one partition. If it is refused, the waits of all limits come first. */
  function readings(limits: LimitSet, refused: boolean): Reading[] {
    const { order } = replyForm(limits);
    const count = order.length;
    const read = new Array<Reading>(count);
    let waitAt = at;
    if (refused) at += count;
    for (const place of order) {
      const wait = refused ? (numbers[waitAt] as number) : 0;
      const reading: Reading = {
        remaining: numbers[at] as number,
        waitMs: asWait(wait),
        resetMs: numbers[at + 1] as number,
      };
      if (wait < -1) reading.holders = true;
      read[place] = reading;
      waitAt += 1;
      at += 2;
    }
    return read;
  }

  function marks(limits: LimitSet, given: boolean): readonly number[] {
    const { noMarks } = replyForm(limits);
    if (!given) return noMarks;
    at += noMarks.length;
    return numbers.slice(at - noMarks.length, at);
  }

  function overrides(count: number): (Override | undefined)[] {
    return Array.from({ length: count }, () => {
      const endsAt = numbers[at] as number;
      at += 1;
      if (endsAt === 0) return undefined;
      at += 1;
      return readNote(String(texts[at - 1]), endsAt >= latestMs ? Number.POSITIVE_INFINITY : endsAt);
    });
  }

  /** Reads a request that claims an id: either what is known about the id, or the attempt number followed by the answer. */
  function claimed(request: Request, index: number): Answer {
    const attempt = numbers[at] as number;
    if (attempt < 0) return answer(request, index);
    at += 1;
    if (attempt > 0) {
      const decided = answer(request, index);
      // If several slots are asked, it says what the others would charge.
      const isSaid = !(decided instanceof Error) && (decided.admitted || isPartOfAttempt(request));
      return isSaid ? { ...decided, attempt } : decided;
    }
    at += 2;
    const state = knownStates[(numbers[at - 2] as number) - 1] ?? "conflict";
    const now = request.at > 0 ? request.at : serverNow;
    return { admitted: false, now, readings: [], marks: [], known: { state, result: String(texts[at - 1]) } };
  }

  function answer(request: Request, index: number): Answer {
    const status = numbers[at] as number;
    at += 1;
    if (status < 0) {
      at += 1;
      if (status === -3)
        return inDoubt(new Error("The Redis store received this call twice, or after it was cancelled."));
      return faultOf(status, (request.parts[(numbers[at - 1] as number) - 1] as { space: string }).space);
    }
    const { do: what, parts } = request;
    if (what === "owned") return { ...nothing, attempt: status };
    if (what === "reset" || what === "probe" || what === "override" || what === "commit") return nothing;
    const count = parts.length;
    const now = request.at > 0 ? request.at : serverNow;
    const order = orderOf(serverMicros, index);
    // Loops instead of callbacks: every decision passes here, and creating the functions would cost more than the loops.
    const read = new Array<readonly Reading[]>(count);
    const refused = status === 0 || status > 2;
    for (let p = 0; p < count; p += 1) read[p] = readings(limitsOf(parts, p), refused);
    const refusedFor = reasons[status];
    if (refusedFor !== undefined) {
      const refusal = { admitted: false, now, order, readings: read, marks: [], refusedFor };
      return status < 5 ? refusal : { ...refusal, overrides: overrides(count) };
    }
    if (status === contendedStatus)
      return { admitted: false, now, order, readings: read, marks: [], contended: true };
    if (refused || what === "peek") return { admitted: !refused, now, order, readings: read, marks: [] };
    const given = new Array<readonly number[]>(count);
    for (let p = 0; p < count; p += 1) given[p] = marks(limitsOf(parts, p), status === 2);
    return { admitted: true, now, order, readings: read, marks: given };
  }

  const answers = requests.map((request, index) =>
    request.do === "decide" && request.claim !== undefined ? claimed(request, index) : answer(request, index),
  );
  if (at !== numbers.length) {
    const amount = at < numbers.length ? "much" : "little";
    throw new Error(`The Redis store's script answered too ${amount}.`);
  }
  return answers;
}

/** Whether it is charged in several slots of a cluster. */
function isPartOfAttempt(request: Request): boolean {
  return "attempt" in request && request.attempt !== undefined && request.attempt !== "";
}

function limitsOf(parts: readonly { readonly limits: LimitSet }[], place: number): LimitSet {
  return (parts[place] as { readonly limits: LimitSet }).limits;
}

/** Clients can be configured to return numbers as text or as bigints. */
function numbersOf(reply: unknown): readonly number[] {
  if (!Array.isArray(reply) || reply.length === 0) {
    throw new Error("The Redis store's script did not answer with a list.");
  }
  return typeof reply[0] === "number" ? reply : reply.map(Number);
}

/** -1 means never; a number below it is a wait for holders. */
function asWait(number: number): number {
  if (number < -1) return -2 - number;
  return number < 0 ? Number.POSITIVE_INFINITY : number;
}

function faultOf(status: number, space: string): Error {
  if (status === -1) {
    return new UnreadableStateError(
      `The Redis store holds a state of layer "${space}" that it cannot read. The state is left unchanged: ` +
        "another program may use the same keys (give this one its own prefix), or a newer release wrote it.",
    );
  }
  return new HeadgateError(
    "store-state-invalid",
    `The clocks of this process and of the Redis server differ by more than a window of layer "${space}": ` +
      "the current calendar window is not known. Set the clocks.",
  );
}

interface ReplyForm {
  /** The script answers group by group; these are the indexes of its answers in the limits as they were written. */
  readonly order: readonly number[];
  /** The marks of groups without a mark. */
  readonly noMarks: readonly number[];
}

const forms = new WeakMap<LimitSet, ReplyForm>();

function replyForm(limits: LimitSet): ReplyForm {
  let form = forms.get(limits);
  if (form === undefined) {
    const places = limits.groups.map((_, g) =>
      [...limits.groupOf.keys()].filter((l) => limits.groupOf[l] === g),
    );
    form = { order: places.flat(), noMarks: limits.groups.map(() => 0) };
    forms.set(limits, form);
  }
  return form;
}
