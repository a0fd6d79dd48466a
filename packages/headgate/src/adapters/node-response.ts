import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type Fields, sharedFields } from "../http/fields/fields.ts";
import { type Decision, endDecision } from "../http/guard/decisions.ts";
import type { Refusal } from "../http/refusal/refusal.ts";
import { fieldsBeside } from "./shared-fields.ts";

type WriteHead = (
  this: ServerResponse,
  status: number,
  message?: unknown,
  headers?: unknown,
) => ServerResponse;

/**
 * Has the fields written at the last moment at which they can be: when the head goes out. Then they show what the
 * handler settled or refunded, no error handler that clears the headers takes them away, and a handler that writes
 * its own `Access-Control-Expose-Headers` keeps it. Once the head is out, nothing is written.
 *
 * @param fields asked once, for the head and its status.
 */
export function writeFieldsWithHead(response: ServerResponse, fields: (status: number) => Fields): void {
  const writeHead = response.writeHead as WriteHead;
  // Named before it is assigned: a function literal that is assigned to a property is made in the old generation, where
  // it and the decision that it holds would outlive their request by a whole garbage collection.
  const writeHeadWithFields: WriteHead = function (status, message, headers) {
    if (this.headersSent) return writeHead.call(this, status, message, headers);
    const explicit = typeof message === "string" ? headers : (headers ?? message);
    // What is written above or below this one may tell these calls apart by how many arguments they have.
    if (explicit !== undefined && explicit !== null && !Array.isArray(explicit)) {
      const written = joined(this, explicit as OutgoingHttpHeaders, fields(status));
      return typeof message === "string"
        ? writeHead.call(this, status, message, written)
        : writeHead.call(this, status, written);
    }
    if (Array.isArray(explicit)) {
      // Headers that nobody could write are Node's to complain of.
      if (!isListOfFields(explicit)) return writeHead.call(this, status, message, headers);
      setList(this, explicit);
    }
    setFields(this, fields(status));
    return typeof message === "string" ? writeHead.call(this, status, message) : writeHead.call(this, status);
  };
  response.writeHead = writeHeadWithFields as ServerResponse["writeHead"];
}

/** Ends an admitted request with its response: finished, failed, or because the client has gone. */
export function endWithResponse(decision: Decision, response: ServerResponse): void {
  const { admission } = decision;
  if (!admission.admitted || !admission.holds) return;
  response.once("close", () =>
    endDecision(decision, response.headersSent ? response.statusCode : undefined, response.writableFinished),
  );
}

/** Whether something has been answered. */
export function hasBegun(response: ServerResponse): boolean {
  return response.headersSent || response.writableEnded;
}

/** Says whether Fastify's `send` has been called since: it answers later, where hooks of the application's take their time. */
export function watchSend<Reply extends { send(payload?: unknown): unknown }>(reply: Reply): () => boolean {
  const { send } = reply;
  let isSent = false;
  reply.send = (payload) => {
    isSent = true;
    reply.send = send;
    return reply.send(payload);
  };
  return () => {
    reply.send = send;
    return isSent;
  };
}

/** Whether nobody can be answered any more: the client has left, or something else has answered. */
export function isOver(response: ServerResponse): boolean {
  return response.destroyed || response.writableEnded;
}

/** Without a list on the way, which Node would only take apart again. */
function setFields(response: ServerResponse, fields: Fields): void {
  const beside = fieldsBeside(response, fields);
  for (const name in beside) response.setHeader(name, beside[name] as string);
}

/** What `writeHead` was given, with the fields: as in Node's own, both replace what was set before. */
function joined(
  response: ServerResponse,
  explicit: OutgoingHttpHeaders,
  fields: Fields,
): OutgoingHttpHeaders {
  // The usual case, and the quick one: neither has written any of them.
  if (!namesAny(explicit, fields) && response.getHeader(sharedFields[0]) === undefined) {
    return { ...explicit, ...fields };
  }
  const reader = { getHeader: (name: string) => headerNamed(explicit, name) ?? response.getHeader(name) };
  const beside = fieldsBeside(reader, fields);
  // A copy: the list may be one that the handler keeps.
  const headers = { ...explicit };
  for (const name in headers) if (headerNamed(beside, name) !== undefined) delete headers[name];
  for (const name in beside) headers[name] = beside[name];
  return headers;
}

function namesAny(headers: OutgoingHttpHeaders, fields: Fields): boolean {
  for (const name in headers) if (headerNamed(fields, name) !== undefined) return true;
  return false;
}

/** Whatever its name's case. */
function headerNamed(headers: OutgoingHttpHeaders, name: string): OutgoingHttpHeader | undefined {
  for (const other in headers) {
    if (other.length !== name.length) continue;
    if (other === name || other.toLowerCase() === name.toLowerCase()) return headers[other];
  }
  return undefined;
}

/** Answers with a refusal, without its body where only the head was asked for. */
export function sendRefusal(
  response: ServerResponse,
  { method, httpVersionMajor }: Pick<IncomingMessage, "method" | "httpVersionMajor">,
  { status, headers, body }: Pick<Refusal, "status" | "headers" | "body">,
): void {
  // Something else may have answered while the store was asked: a time limit, say.
  if (response.headersSent) return;
  const beside = fieldsBeside(response, headers);
  if (method === "HEAD") {
    response.writeHead(status, beside).end();
    return;
  }
  const bytes = Buffer.byteLength(body);
  if (httpVersionMajor === 1 && isUntouched(response)) {
    response.writeHead(status, listOf(beside, bytes));
  } else {
    response.writeHead(status, { ...beside, "Content-Length": bytes });
  }
  // Text of one byte a character is the same in both, and goes out quicker as what it is.
  response.end(body, bytes === body.length ? "latin1" : "utf8");
}

/**
 * Whether Node itself writes the head, and nothing has been set: then a list is the quickest. With fields to join it is
 * the slowest, and what replaces `writeHead` may not know lists.
 */
function isUntouched(response: ServerResponse): boolean {
  return !Object.hasOwn(response, "writeHead") && response.getHeaderNames().length === 0;
}

/** Names and values in turn. */
function listOf(fields: Fields, bytes: number): string[] {
  const list: string[] = [];
  for (const name in fields) list.push(name, fields[name] as string);
  list.push("Content-Length", String(bytes));
  return list;
}

/** As in Node's own, what `writeHead` was given replaces what was set before. */
function setList(response: ServerResponse, headers: readonly unknown[]): void {
  const flat = (Array.isArray(headers[0]) ? headers.flat() : headers) as OutgoingHttpHeader[];
  for (let n = 0; n < flat.length; n += 2) response.removeHeader(String(flat[n]));
  for (let n = 0; n < flat.length; n += 2) {
    response.appendHeader(String(flat[n]), flat[n + 1] as string | string[]);
  }
}

/** Names and values in turn, or pairs of them. */
function isListOfFields(headers: readonly unknown[]): boolean {
  return Array.isArray(headers[0])
    ? headers.every((pair) => Array.isArray(pair) && pair.length === 2)
    : headers.length % 2 === 0;
}
