import type { Problem } from "../../../contract.ts";
import { client } from "./client.ts";
import { ServiceError } from "./failure.ts";

interface ApiRequest {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
  fetch?: typeof fetch;
}

/**
 * Sends a request to the service and returns its JSON; `undefined` for a response without a body.
 * @throws {ServiceError} for any status that is not 2xx; `RateLimitedError` and `PaymentRequiredError` for 429 and 402;
 *   `TypeError` if the service cannot be reached
 */
export async function api<Body>(path: string, request: ApiRequest = {}): Promise<Body> {
  const send = request.fetch ?? client.fetch;
  const response = await send(path, {
    method: request.method ?? "GET",
    headers: {
      accept: "application/json",
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    ...(request.signal ? { signal: request.signal } : {}),
  });
  if (!response.ok) throw new ServiceError(response.status, await problemOf(response));
  const text = await response.text();
  if (text === "") return undefined as Body;
  try {
    return JSON.parse(text) as Body;
  } catch {
    // The body is a page instead of JSON, so a proxy has responded.
    throw new ServiceError(502, {});
  }
}

/** Returns the problem body of a refusal, or an empty object if there is none. */
export async function problemOf(response: Response): Promise<Partial<Problem>> {
  const requestId = response.headers.get("x-request-id");
  const fallback = requestId === null ? {} : { request_id: requestId };
  if (!/\bjson\b/.test(response.headers.get("content-type") ?? "")) return fallback;
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? { ...fallback, ...body } : fallback;
  } catch {
    return fallback;
  }
}
