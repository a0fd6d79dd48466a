import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Fields } from "../http/fields.ts";
import type { Refusal } from "../http/refusal.ts";
import { fieldsBeside } from "./shared-fields.ts";

type ExplicitHeaders = OutgoingHttpHeaders | readonly OutgoingHttpHeader[];
type WriteHead = (this: ServerResponse, status: number, ...rest: unknown[]) => ServerResponse;

/**
 * Has the fields written at the last moment at which they can be: when the head goes out. Then they show what the
 * handler settled or refunded, no error handler that clears the headers takes them away, and a handler that writes
 * its own `Access-Control-Expose-Headers` keeps it. Once the head is out, nothing is written.
 *
 * @param fields asked once, for the head.
 */
export function writeFieldsWithHead(response: ServerResponse, fields: () => Fields): void {
  const writeHead = response.writeHead as WriteHead;
  const writeHeadWithFields: WriteHead = function (status, ...rest) {
    if (this.headersSent) return writeHead.call(this, status, ...rest);
    const message = typeof rest[0] === "string" ? [rest[0]] : [];
    const explicit = message.length === 1 ? rest[1] : (rest[1] ?? rest[0]);
    // Headers that nobody could write are Node's to complain of.
    if (Array.isArray(explicit) && !isListOfFields(explicit)) return writeHead.call(this, status, ...rest);
    if (explicit !== undefined && explicit !== null) setExplicit(this, explicit as ExplicitHeaders);
    setFields(this, fields());
    return writeHead.call(this, status, ...message);
  };
  response.writeHead = writeHeadWithFields as ServerResponse["writeHead"];
}

function setFields(response: ServerResponse, fields: Fields): void {
  const beside = fieldsBeside(response, fields);
  for (const name in beside) response.setHeader(name, beside[name] as string);
}

/** Answers with a refusal, without its body where only the head was asked for. */
export function sendRefusal(response: ServerResponse, method: string | undefined, refused: Refusal): void {
  // Something else may have answered while the store was asked: a time limit, say.
  if (response.headersSent) return;
  response.statusCode = refused.status;
  setFields(response, refused.headers);
  response.end(method === "HEAD" ? undefined : refused.body);
}

/** What `writeHead` was given replaces what was set before, as it does in Node's own. */
function setExplicit(response: ServerResponse, headers: ExplicitHeaders): void {
  if (!isList(headers)) {
    for (const [name, value] of Object.entries(headers))
      response.setHeader(name, value as OutgoingHttpHeader);
    return;
  }
  const flat = (Array.isArray(headers[0]) ? headers.flat() : headers) as OutgoingHttpHeader[];
  for (let n = 0; n < flat.length; n += 2) response.removeHeader(String(flat[n]));
  for (let n = 0; n < flat.length; n += 2) {
    response.appendHeader(String(flat[n]), flat[n + 1] as string | string[]);
  }
}

function isList(headers: ExplicitHeaders): headers is readonly OutgoingHttpHeader[] {
  return Array.isArray(headers);
}

/** Names and values in turn, or pairs of them. */
function isListOfFields(headers: readonly unknown[]): boolean {
  return Array.isArray(headers[0])
    ? headers.every((pair) => Array.isArray(pair) && pair.length === 2)
    : headers.length % 2 === 0;
}
