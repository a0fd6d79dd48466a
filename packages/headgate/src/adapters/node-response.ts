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
 * Writes the fields at the last possible moment: when the head is sent. The fields then show what the handler settled or
 * refunded, an error handler that clears the headers does not remove them, and a handler's own
 * `Access-Control-Expose-Headers` is kept. If the head has already been sent, nothing is written.
 *
 * @param fields called once, with the status of the head.
 */
export function writeFieldsWithHead(response: ServerResponse, fields: (status: number) => Fields): void {
  const writeHead = response.writeHead as WriteHead;
  // Name the function before assigning it. V8 allocates a function literal in the old generation if it is
  // assigned to a property directly: the function and its decision would then stay until a full garbage collection.
  const writeHeadWithFields: WriteHead = function (status, message, headers) {
    if (this.headersSent) return writeHead.call(this, status, message, headers);
    const explicit = typeof message === "string" ? headers : (headers ?? message);
    // Keep the number of arguments: other replacements of this method may depend on it.
    if (explicit !== undefined && explicit !== null && !Array.isArray(explicit)) {
      const written = joined(this, explicit as OutgoingHttpHeaders, fields(status));
      return typeof message === "string"
        ? writeHead.call(this, status, message, written)
        : writeHead.call(this, status, written);
    }
    if (Array.isArray(explicit)) {
      // Let Node report headers that cannot be written.
      if (!isListOfFields(explicit)) return writeHead.call(this, status, message, headers);
      setList(this, explicit);
    }
    setFields(this, fields(status));
    return typeof message === "string" ? writeHead.call(this, status, message) : writeHead.call(this, status);
  };
  response.writeHead = writeHeadWithFields as ServerResponse["writeHead"];
}

/** Ends an admitted request when its response finishes, fails or is cut off because the client has left. */
export function endWithResponse(decision: Decision, response: ServerResponse): void {
  const { admission } = decision;
  if (!admission.admitted || !admission.holds) return;
  response.once("close", () =>
    endDecision(decision, response.headersSent ? response.statusCode : undefined, response.writableFinished),
  );
}

/** Whether a response has begun. */
export function hasBegun(response: ServerResponse): boolean {
  return response.headersSent || response.writableEnded;
}

/**
 * Returns a function that returns whether Fastify's `send` has been called since. The response itself may come later,
 * if the application's hooks are slow.
 */
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

/** Whether the request can no longer be answered: the client has left, or other code has answered. */
export function isOver(response: ServerResponse): boolean {
  return response.destroyed || response.writableEnded;
}

/** Sets the fields one by one, because Node would split a list again. */
function setFields(response: ServerResponse, fields: Fields): void {
  const beside = fieldsBeside(response, fields);
  for (const name in beside) response.setHeader(name, beside[name] as string);
}

/**
 * Returns the headers given to `writeHead` and the fields together. As in Node, both replace headers that were set
 * before.
 */
function joined(
  response: ServerResponse,
  explicit: OutgoingHttpHeaders,
  fields: Fields,
): OutgoingHttpHeaders {
  // The usual and fast case: none of the fields has been written yet.
  if (!namesAny(explicit, fields) && response.getHeader(sharedFields[0]) === undefined) {
    return { ...explicit, ...fields };
  }
  const reader = { getHeader: (name: string) => headerNamed(explicit, name) ?? response.getHeader(name) };
  const beside = fieldsBeside(reader, fields);
  // Copy the list: the handler may use it again.
  const headers = { ...explicit };
  for (const name in headers) if (headerNamed(beside, name) !== undefined) delete headers[name];
  for (const name in beside) headers[name] = beside[name];
  return headers;
}

function namesAny(headers: OutgoingHttpHeaders, fields: Fields): boolean {
  for (const name in headers) if (headerNamed(fields, name) !== undefined) return true;
  return false;
}

/** Ignores the case of the name. */
function headerNamed(headers: OutgoingHttpHeaders, name: string): OutgoingHttpHeader | undefined {
  for (const other in headers) {
    if (other.length !== name.length) continue;
    if (other === name || other.toLowerCase() === name.toLowerCase()) return headers[other];
  }
  return undefined;
}

/** Answers with a refusal, without its body if the method is HEAD. */
export function sendRefusal(
  response: ServerResponse,
  { method, httpVersionMajor }: Pick<IncomingMessage, "method" | "httpVersionMajor">,
  { status, headers, body }: Pick<Refusal, "status" | "headers" | "body">,
): void {
  // Other code, such as a timeout, may have answered while the store was asked.
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
  // Text with one byte for each character is the same in both encodings, and latin1 is faster.
  response.end(body, bytes === body.length ? "latin1" : "utf8");
}

/**
 * Whether Node itself writes the head and no headers have been set. Only then is a list the fastest form: if there are
 * headers to join, it is the slowest, and a replacement of `writeHead` may not accept lists.
 */
function isUntouched(response: ServerResponse): boolean {
  return !Object.hasOwn(response, "writeHead") && response.getHeaderNames().length === 0;
}

/** Returns the fields as a list of names and values in turn. */
function listOf(fields: Fields, bytes: number): string[] {
  const list: string[] = [];
  for (const name in fields) list.push(name, fields[name] as string);
  list.push("Content-Length", String(bytes));
  return list;
}

/** Sets the headers given to `writeHead`. As in Node, they replace headers that were set before. */
function setList(response: ServerResponse, headers: readonly unknown[]): void {
  const flat = (Array.isArray(headers[0]) ? headers.flat() : headers) as OutgoingHttpHeader[];
  for (let n = 0; n < flat.length; n += 2) response.removeHeader(String(flat[n]));
  for (let n = 0; n < flat.length; n += 2) {
    response.appendHeader(String(flat[n]), flat[n + 1] as string | string[]);
  }
}

/** Whether a list contains names and values in turn, or pairs of a name and a value. */
function isListOfFields(headers: readonly unknown[]): boolean {
  return Array.isArray(headers[0])
    ? headers.every((pair) => Array.isArray(pair) && pair.length === 2)
    : headers.length % 2 === 0;
}
