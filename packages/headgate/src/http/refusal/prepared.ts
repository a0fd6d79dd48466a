import type { Refused, WaitsFor } from "../../core/admission.ts";
import { Decision } from "../../core/decision.ts";
import type { Reading } from "../../core/store.ts";
import { exposedByForm, type FieldOptions, type Fields } from "../fields/fields.ts";
import { stateIn, type Wording, wordingOf } from "../fields/wording.ts";
import { preferredType } from "./accept.ts";
import { problemOf, quotaProblem, type Refusal, type RefusalProblem } from "./refusal.ts";
import { reachedSentence, retrySentence } from "./sentence.ts";

/** Makes a refusal of a guard; returns `undefined` for a refusal that only `refusal` can make. */
export type PreparedRefusals = (refused: Refused, accept: string | null) => Refusal | undefined;

/** The parts of a problem about one limit, as JSON. */
interface LimitPieces {
  /** The sentence that the limit has been reached, as JSON without its quotation marks. */
  readonly reached: string;
  readonly name: string;
  /** The index of its unit in `Pieces.units`. */
  readonly unit: number;
}

/** The parts of a policy's problems that do not change. */
interface Pieces {
  /** For each layer that applies: the parts of each limit. */
  readonly layers: readonly (readonly LimitPieces[])[];
  /** The units as JSON, without duplicates. */
  readonly units: readonly string[];
}

/** The parts of one refusal that change. */
interface Numbers {
  readonly reached: string;
  readonly seconds: number;
  readonly waitsFor: WaitsFor;
  readonly violated: string;
  readonly affordable: string;
}

/**
 * Prepares the most common refusals of a guard: a spent quota as a problem, with the `RateLimit` fields of the draft.
 * The constant parts are built once for each policy, so that a flood of refused requests costs little more than sending
 * the bytes. The result is byte for byte the same as that of `refusal`.
 */
export function prepareRefusals({
  fields,
  legacy,
  status = 429,
}: FieldOptions & { status?: number | undefined }): PreparedRefusals {
  if (fields !== "draft" || legacy) return () => undefined;
  const known = new WeakMap<Wording, Pieces | undefined>();
  const beginning = `${JSON.stringify(quotaProblem(status)).slice(0, -1)},"detail":"`;
  const takesProblem = problemTaker();
  let last: Wording | undefined;
  let pieces: Pieces | undefined;

  function piecesOf(wording: Wording): Pieces | undefined {
    if (wording === last) return pieces;
    pieces = known.get(wording) ?? cut(wording);
    known.set(wording, pieces);
    last = wording;
    return pieces;
  }

  return (refused, accept) => {
    const shown = Decision.shownOf(refused);
    if (shown === undefined || shown.charges.length === 0 || shown.unavailable === true) return undefined;
    const { refusedFor, overrides, readings } = shown.outcome;
    if (refusedFor !== undefined || overrides !== undefined) return undefined;
    if (!takesProblem(accept)) return undefined;
    const wording = wordingOf(shown.charges);
    const words = piecesOf(wording);
    const numbers = words && numbersOf(words, readings);
    if (numbers === undefined) return undefined;
    const { reached, seconds, waitsFor, violated, affordable } = numbers;
    const headers = {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      Vary: "Accept",
      "Retry-After": String(seconds),
      "Access-Control-Expose-Headers": exposedByForm.draft,
      "RateLimit-Policy": wording.policy,
      RateLimit: stateIn(wording, readings),
    };
    const body = `${beginning}${reached} ${retrySentence(seconds, waitsFor)}","violated-policies":[${violated}],"error":"Too many requests","retry_after_seconds":${seconds},"waits_for":"${waitsFor}","affordable":{${affordable}}}`;
    return new PreparedRefusal(status, headers, body, refused);
  };
}

/**
 * Whether a client prefers a problem. The last `Accept` field is cached, because most requests in a flood send the
 * same.
 */
function problemTaker(): (accept: string | null) => boolean {
  let last: string | null = null;
  let takesProblem = true;
  return (accept) => {
    if (accept !== last) {
      takesProblem = preferredType(accept) === "application/problem+json";
      last = accept;
    }
    return takesProblem;
  };
}

/** Builds `problem` only when it is read: most adapters send only the body. */
class PreparedRefusal implements Refusal {
  readonly status: number;
  readonly headers: Fields;
  readonly body: string;
  readonly #refused: Refused;
  #problem: RefusalProblem | undefined;

  constructor(status: number, headers: Fields, body: string, refused: Refused) {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.#refused = refused;
  }

  get problem(): RefusalProblem {
    this.#problem ??= problemOf(this.#refused, this.status);
    return this.#problem;
  }
}

/** `undefined` if a layer is `blocked` or `unlimited`: its part of a problem depends on more than the limits. */
function cut({ sets }: Wording): Pieces | undefined {
  if (sets.some(({ word }) => word !== undefined)) return undefined;
  const units = [...new Set(sets.flatMap(({ limits }) => limits.map(({ unit }) => unit)))];
  const layers = sets.map(({ limits, names }) =>
    limits.map(
      // Without the calendar, because readings have none either.
      ({ quota, unit, algorithm, windowMs }, l): LimitPieces => ({
        reached: JSON.stringify(reachedSentence({ quota, unit, algorithm, windowMs })).slice(1, -1),
        name: JSON.stringify(names[l]),
        unit: units.indexOf(unit),
      }),
    ),
  );
  return { layers, units: units.map((unit) => JSON.stringify(unit)) };
}

/** `undefined` if no wait helps, or if the store's answer lacks a reading. */
function numbersOf(
  { layers, units }: Pieces,
  readings: readonly (readonly Reading[])[],
): Numbers | undefined {
  const least: number[] = [];
  for (let u = 0; u < units.length; u += 1) least.push(Number.POSITIVE_INFINITY);
  let violated = "";
  let reached = "";
  let longestMs = -1;
  let waitsFor: WaitsFor = "window";
  for (let c = 0; c < layers.length; c += 1) {
    const limits = layers[c] as readonly LimitPieces[];
    for (let l = 0; l < limits.length; l += 1) {
      const limit = limits[l] as LimitPieces;
      const reading = readings[c]?.[l];
      if (reading === undefined) return undefined;
      const { remaining, waitMs } = reading;
      if (remaining < (least[limit.unit] as number)) least[limit.unit] = remaining;
      if (waitMs > 0) violated += violated === "" ? limit.name : `,${limit.name}`;
      if (waitMs > longestMs) {
        longestMs = waitMs;
        reached = limit.reached;
        waitsFor = reading.holders === true ? "holders" : "window";
      }
    }
  }
  let affordable = "";
  for (let u = 0; u < units.length; u += 1) {
    const remaining = least[u] as number;
    affordable += `${u === 0 ? "" : ","}${units[u]}:${remaining}`;
  }
  const isUsual = longestMs >= 0 && Number.isFinite(longestMs) && least.every(Number.isFinite);
  return isUsual
    ? { reached, seconds: Math.ceil(longestMs / 1000), waitsFor, violated, affordable }
    : undefined;
}
