import { ipOf, userOf } from "../traffic.ts";

const question = JSON.stringify({ messages: [{ role: "user", content: "take-home on £45k" }] });

/** A message from one of many callers, each with a separate name and address, as text for a socket. */
export function requestBy(caller: number): string {
  const fields = [
    "POST /chat/message HTTP/1.1",
    "Host: localhost",
    "Connection: close",
    `X-User-Id: ${userOf(caller)}`,
    // The service trusts proxies on the loopback, so each caller can have a separate address.
    `X-Forwarded-For: ${ipOf(caller)}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(question)}`,
  ];
  return `${fields.join("\r\n")}\r\n\r\n${question}`;
}
