import { randomBytes } from "node:crypto";
import type { AppliedOverride } from "../core/admission.ts";
import { type Clock, checkTimers } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import type { ChangedEvent, DecisionPartition, EventPartition, Moment } from "../core/limiter-events.ts";
import { checkFunctions, checkOptions } from "../core/options.ts";
import { show } from "../core/show.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import type { DecisionEvent, Limiter } from "../limiter/contract.ts";
import { writePolicyDocument } from "../policy-document/index.ts";
import { createLineBuffer, type LineWriter } from "./line-buffer.ts";
import {
  type DecidedPartition,
  type LoggedOverride,
  type LoggedPartition,
  type LogLine,
  logVersion,
} from "./lines.ts";
import { createPseudonyms } from "./pseudonyms.ts";

export interface DecisionLogOptions {
  /** Where the lines go: `logFiles(path)`, or anything with `write(lines)`. */
  writer: LineWriter;
  /**
   * The secret for the pseudonyms: 16 bytes or more. Keep it with your other secrets. Processes that share a store need
   * the same secret. Otherwise a replay cannot recognize a caller of several processes. Default: a random secret for
   * this log, which is not stored.
   */
  secret?: string | Uint8Array;
  /** Returns the id of the current request, for example from an `AsyncLocalStorage`, or `undefined`. */
  requestId?: () => string | undefined;
  /**
   * The maximum number of characters that wait to be written: from 100,000 up. Default: 16,000,000. Further lines are
   * lost, and counted.
   */
  mostWaiting?: number;
  /** Called when the writer fails: once for several failures in a row. Default: logs a line to the console. */
  onError?: (error: unknown) => void;
  /** The clock for the pauses between writes, for tests. */
  clock?: Pick<Clock, "after">;
}

/** The state of a decision log. */
export interface DecisionLogStatus {
  /** Lines that wait to be written. */
  readonly waiting: number;
  readonly written: number;
  /** Lines that were lost because the writer failed or was too slow. The log has a line where they are missing. */
  readonly lost: number;
}

/** A limiter with any type of caller. */
export type LoggedLimiter = Pick<Limiter<never>, "name" | "observe" | "status" | "policy">;

export interface DecisionLog {
  /**
   * Logs the decisions of a limiter from now on.
   *
   * @returns a function that stops it
   */
  record(limiter: LoggedLimiter): () => void;
  status(): DecisionLogStatus;
  /** Resolves once everything logged so far is written, or the writer has failed. */
  flush(): Promise<void>;
  /** Writes the waiting lines and closes the writer. */
  close(): Promise<void>;
}

const shortestSecret = 16;
const longestRequestId = 200;
const mostNames = 1000;
const options = ["writer", "secret", "requestId", "mostWaiting", "onError", "clock"];

/**
 * Logs every decision as a line of JSON, with pseudonyms instead of callers' keys. For audits, and for `headgate-server
 * replay`. Decisions never wait for the log.
 *
 * ```ts
 * const log = decisionLog({ writer: logFiles("./decisions"), secret: process.env.LOG_SECRET });
 * log.record(limiter);
 * ```
 *
 * @throws HeadgateError `option-invalid`
 */
export function decisionLog(given: DecisionLogOptions): DecisionLog {
  const {
    writer,
    secret = randomBytes(32),
    requestId,
    mostWaiting = 16_000_000,
    onError,
    clock = {},
  } = read(given);
  const process = randomBytes(4).toString("hex");
  const pseudonyms = createPseudonyms(secret);
  const quoted = createQuoting();
  const recorded = new Map<LoggedLimiter, number>();
  let n = 0;

  const buffer = createLineBuffer({
    writer,
    mostWaiting,
    clock,
    onError: onError ?? onConsole,
    head: () => [...recorded.keys()].flatMap(headOf),
    lost: (lines, reason) =>
      text({ type: "lost", at: latest(), lines, ...(reason === undefined ? {} : { reason }) }),
  });

  function text(line: Unnumbered): string {
    n += 1;
    return `${JSON.stringify({ v: logVersion, n, process, ...line })}\n`;
  }

  function latest(): number {
    return Math.max(0, ...recorded.values());
  }

  function headOf(limiter: LoggedLimiter): string[] {
    const at = recorded.get(limiter) ?? 0;
    const { store, remote: shared } = limiter.status();
    const { segment } = pseudonyms;
    return [
      text({ type: "begin", limiter: limiter.name, at, store, shared, segment }),
      policyOf(limiter, at),
    ];
  }

  function policyOf(limiter: LoggedLimiter, at: number): string {
    const { name, policy } = limiter;
    return text({
      type: "policy",
      limiter: name,
      at,
      hash: policy.hash,
      policy: writePolicyDocument(policy),
    });
  }

  /** Records the time of the limiter's latest event. */
  function note(limiter: LoggedLimiter, at: number): void {
    recorded.set(limiter, Math.max(at, recorded.get(limiter) ?? 0));
  }

  function partitionOf({ layer, key }: EventPartition): LoggedPartition {
    return { layer, partition: pseudonyms.of(key) };
  }

  function decidedOf({ layer, key, plan, limits }: DecisionPartition): DecidedPartition {
    const one = partitionOf({ layer, key });
    if (plan !== undefined) return { ...one, plan };
    return limits === undefined ? one : { ...one, limits };
  }

  /**
   * Returns the JSON of a `DecisionLine`. It is joined from pieces, because most lines are decisions, and
   * `JSON.stringify` of a whole line takes several times as long.
   */
  function decisionText(event: DecisionEvent): string {
    const { limiter, at, order, id, admission, cost, asOf, prefixesBehind = [] } = event;
    n += 1;
    const request = requestId?.();
    const { overrides = [] } = admission;
    const applied =
      overrides.length + prefixesBehind.length === 0 ? undefined : [...overrides, ...prefixesBehind];
    let line = `{"v":${logVersion},"n":${n},"process":"${process}","type":"decision","limiter":${quoted(limiter)},"at":${at}`;
    if (order !== undefined) line += `,"order":${order}`;
    line += `,"id":${id}`;
    if (request !== undefined) line += `,"request":${JSON.stringify(request.slice(0, longestRequestId))}`;
    line += `,"admitted":${admission.admitted},"by":"${admission.decidedBy}","policy":"${admission.policy}","partitions":[`;
    line += `${event.partitions.map(partitionText).join(",")}]`;
    if (cost !== undefined) line += `,"cost":${JSON.stringify(cost)}`;
    const left = admission.admitted ? admission.tightest?.remaining : undefined;
    if (left !== undefined) line += `,"left":${left}`;
    if (!admission.admitted) line += membersText(refusalOf(admission));
    if (asOf !== undefined) line += `,"asOf":${JSON.stringify(momentOf(asOf))}`;
    if (applied !== undefined) line += membersText(overridesOf(applied));
    return `${line}}\n`;
  }

  function partitionText({ layer, key, plan, limits }: DecisionPartition): string {
    const line = `{"layer":${quoted(layer)},"partition":"${pseudonyms.of(key)}"`;
    if (plan !== undefined) return `${line},"plan":${quoted(plan)}}`;
    return limits === undefined ? `${line}}` : `${line},"limits":${JSON.stringify(limits)}}`;
  }

  function overridesOf(overrides: readonly AppliedOverride[] = []): { overrides?: LoggedOverride[] } {
    if (overrides.length === 0) return {};
    return {
      overrides: overrides.map(({ layer, limits, until, prefix }) => ({
        layer,
        limits,
        until: finite(until),
        ...(prefix === undefined ? {} : { prefix: pseudonyms.of(prefix) }),
      })),
    };
  }

  function changeOf(event: ChangedEvent, limiter: LoggedLimiter): string {
    const head = { limiter: event.limiter, ...momentOf(event) };
    if (event.kind === "policy") return policyOf(limiter, event.at);
    if (event.kind === "override") {
      const { limits, until } = event;
      const terms = limits === undefined ? {} : { limits, until: finite(until ?? Number.POSITIVE_INFINITY) };
      return text({ type: "override", ...head, ...partitionOf(event.partition), ...terms });
    }
    if (event.kind === "prefix-override") {
      const { layer, prefix, limits, until } = event;
      const terms = limits === undefined ? {} : { limits, until: finite(until ?? Number.POSITIVE_INFINITY) };
      const of = partitionOf({ layer, key: prefix });
      return text({ type: "override", ...head, ...of, byPrefix: true, ...terms });
    }
    if (event.kind === "reset")
      return text({ type: "reset", ...head, partitions: event.partitions.map(partitionOf) });
    const { partitions, cost, overrides } = event;
    return text({
      type: "penalty",
      ...head,
      partitions: partitions.map(decidedOf),
      cost,
      ...overridesOf(overrides),
    });
  }

  return {
    record(limiter) {
      if (typeof limiter?.observe !== "function")
        fail(`record takes a limiter made by createLimiter, got ${show(limiter)}.`);
      note(limiter, limiter.status().at);
      for (const line of headOf(limiter)) buffer.add(line);
      const stop = limiter.observe({
        decided(event) {
          note(limiter, event.at);
          buffer.add(decisionText(event));
        },
        settled: ({ limiter: name, decision, used, ended, ...moment }) =>
          buffer.add(text({ type: "settled", limiter: name, ...momentOf(moment), decision, used, ended })),
        extended({ limiter: name, decision, cost, admitted, decidedBy: by, asOf, ...moment }) {
          const line = { limiter: name, ...momentOf(moment), decision, cost, admitted, by };
          const place = asOf === undefined ? {} : { asOf: momentOf(asOf) };
          buffer.add(text({ type: "extended", ...line, ...place }));
        },
        changed: (event) => buffer.add(changeOf(event, limiter)),
      });
      return () => {
        stop();
        recorded.delete(limiter);
      };
    },
    status: () => ({ waiting: buffer.waiting, written: buffer.written, lost: buffer.lost }),
    flush: buffer.flush,
    close: buffer.close,
  };
}

type Unnumbered = LogLine extends infer Line
  ? Line extends LogLine
    ? Omit<Line, "v" | "n" | "process">
    : never
  : never;

function momentOf({ at, order }: Moment): { at: number; order?: number } {
  return order === undefined ? { at } : { at, order };
}

/** Returns the members of an object as JSON, each after a comma. */
function membersText(object: object): string {
  const json = JSON.stringify(object);
  return json === "{}" ? "" : `,${json.slice(1, -1)}`;
}

/** Creates a function that formats a name as JSON, and caches the result: limiters, layers and plans are few. */
function createQuoting(): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    let text = known.get(name);
    if (text === undefined) {
      text = JSON.stringify(name);
      if (known.size >= mostNames) known.clear();
      known.set(name, text);
    }
    return text;
  };
}

function refusalOf(refused: Extract<DecisionEvent["admission"], { admitted: false }>) {
  const { reason, retryAfterMs, waitsFor, binding } = refused;
  return { reason, limit: binding.name, waitMs: finite(retryAfterMs), waitsFor };
}

function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}

function read(given: DecisionLogOptions): DecisionLogOptions {
  if (typeof given !== "object" || given === null)
    fail(`decisionLog takes an object such as { writer: logFiles("./decisions") }, got ${show(given)}.`);
  checkOptions("decisionLog", given, options, "option-invalid");
  checkFunctions("decisionLog", given, ["requestId", "onError"]);
  const { writer, secret, mostWaiting, clock } = given;
  if (typeof writer?.write !== "function")
    fail(`writer must have write(lines), such as logFiles("./decisions"), got ${show(writer)}.`);
  if (secret !== undefined && (!isBytes(secret) || secret.length < shortestSecret))
    fail(
      `secret must be text or bytes, with a length of at least ${shortestSecret}. Leave it out for a random secret.`,
    );
  if (clock !== undefined) checkTimers(clock);
  if (mostWaiting !== undefined)
    checkWholeNumber("mostWaiting", mostWaiting, 100_000, Number.MAX_SAFE_INTEGER);
  return given;
}

function isBytes(secret: unknown): boolean {
  return typeof secret === "string" || secret instanceof Uint8Array;
}

function onConsole(error: unknown): void {
  console.error("headgate: cannot write the decision log:", error);
}

function fail(message: string): never {
  throw new HeadgateError("option-invalid", message);
}
