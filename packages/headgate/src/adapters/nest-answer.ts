import type { IncomingMessage, ServerResponse } from "node:http";
import type { GuardAnswer } from "../http/guard/refusing.ts";
import { fieldsBeside } from "./shared-fields.ts";

/** The request that a Nest controller gets, on either platform. */
export type NestRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** The parts of Fastify's reply that are used here. */
interface FastifyReply {
  readonly raw: ServerResponse;
  code(status: number): this;
  getHeader(name: string): number | string | string[] | undefined;
  header(name: string, value: string): this;
  headers(fields: Readonly<Record<string, string>>): this;
  send(payload: unknown): unknown;
}

/** The parts of Express's response that are used here. */
interface ExpressResponse extends ServerResponse {
  json(payload: unknown): unknown;
}

/** The response that a Nest controller gets, on either platform. */
export type NestResponse = ExpressResponse | FastifyReply;

/** Returns Node's own request. */
export function incomingOf(request: NestRequest): IncomingMessage {
  return "raw" in request ? request.raw : request;
}

/** Returns Node's own response. */
export function rawOf(response: NestResponse): ServerResponse {
  return "raw" in response ? response.raw : response;
}

/**
 * Sets the fields of a refusal on the response. When Nest's exception filter sends the problem, the response uses the
 * refusal's own body and type instead. A body from another filter is sent unchanged.
 */
export function answerProblem(response: NestResponse, refused: GuardAnswer): void {
  const { "Content-Type": type = "", ...fields } = refused.headers;
  if ("raw" in response) {
    response.headers(fieldsBeside(response, fields));
    const { send } = response;
    const sendBody = (payload: unknown) => {
      response.send = send;
      if (payload !== refused.problem) return response.send(payload);
      // Send bytes: to text, Fastify would add a charset, which problem documents must not have.
      return response.code(refused.status).header("Content-Type", type).send(Buffer.from(refused.body));
    };
    response.send = sendBody;
    return;
  }
  // Other code may have answered while the store was asked.
  if (response.headersSent) return;
  const beside = fieldsBeside(response, fields);
  for (const name in beside) response.setHeader(name, beside[name] as string);
  const { json } = response;
  const sendBody = (payload: unknown) => {
    response.json = json;
    if (payload !== refused.problem) return response.json(payload);
    response.statusCode = refused.status;
    response.setHeader("Content-Type", type);
    return response.end(response.req.method === "HEAD" ? undefined : refused.body);
  };
  response.json = sendBody;
}
