import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { listening } from "@headgate/test-servers/frameworks/listening.ts";
import { describe, expect, it } from "vitest";
import { sendRefusal } from "./node-response.ts";

const refused = {
  status: 429,
  headers: { "Content-Type": "application/problem+json", Vary: "Accept", "Retry-After": "60" },
};

/** Returns the response that a client gets if a refusal is sent after `before` has changed the response. */
async function sent(before: (response: ServerResponse) => void, body = "{}", method = "GET") {
  const { origin, close } = await listening((request, response) => {
    before(response);
    sendRefusal(response, request, { ...refused, body });
  });
  const response = await fetch(origin, { method });
  const {
    "content-type": type,
    vary,
    "retry-after": retry,
    ...others
  } = Object.fromEntries(response.headers);
  const text = await response.text();
  await close();
  return { status: response.status, fields: [type, vary, retry], others, text };
}

/** Returns the arguments of `writeHead` after `before`. */
async function headOf(before: (response: ServerResponse) => void): Promise<unknown[]> {
  let given: unknown[] = [];
  const { origin, close } = await listening((request, response) => {
    before(response);
    const own = Object.hasOwn(response, "writeHead");
    const { writeHead } = response;
    const prototype = Object.create(Object.getPrototypeOf(response) as object, {
      writeHead: {
        value(...rest: unknown[]) {
          given = rest;
          return Reflect.apply(writeHead, response, rest) as ServerResponse;
        },
      },
    }) as object;
    if (!own) Object.setPrototypeOf(response, prototype);
    else response.writeHead = (prototype as ServerResponse).writeHead;
    sendRefusal(response, request, { ...refused, body: "{}" });
  });
  await (await fetch(origin)).text();
  await close();
  return given;
}

describe("a refusal on a Node.js response", () => {
  it("is written as one list of headers if the response is unchanged", async () => {
    expect(await headOf(() => {})).toEqual([
      429,
      [
        "Content-Type",
        "application/problem+json",
        "Vary",
        "Accept",
        "Retry-After",
        "60",
        "Content-Length",
        "2",
      ],
    ]);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    [
      "writeHead was replaced by code that may not support lists",
      (response) => {
        const { writeHead } = response;
        response.writeHead = writeHead.bind(response) as ServerResponse["writeHead"];
      },
    ],
    ["headers were set before", (response) => response.setHeader("X-Own", "a")],
  ])("is written as an object if %s", async (_what, before) => {
    expect(await headOf(before)).toEqual([429, { ...refused.headers, "Content-Length": 2 }]);
  });

  it.each<[string, (response: ServerResponse) => void, string | undefined]>([
    ["no other headers", () => {}, undefined],
    ["a header that was set before", (response) => response.setHeader("X-Own", "a"), "a"],
  ])("has a Content-Length and %s", async (_what, before, own) => {
    const { status, fields, others, text } = await sent(before);
    expect([status, fields, text]).toEqual([429, Object.values(refused.headers), "{}"]);
    expect([others["content-length"], others["x-own"]]).toEqual(["2", own]);
  });

  it("has a Content-Length in bytes, not characters", async () => {
    const { others, text } = await sent(() => {}, '{"detail":"Schluß für heute, 再见"}');
    expect(text).toBe('{"detail":"Schluß für heute, 再见"}');
    expect(others["content-length"]).toBe(String(Buffer.byteLength(text)));
  });

  it("has no body for a HEAD request", async () => {
    const { fields, text } = await sent(() => {}, "{}", "HEAD");
    expect([fields, text]).toEqual([Object.values(refused.headers), ""]);
  });

  it("can be sent over HTTP/2", async () => {
    const server = createHttp2Server((request, response) =>
      sendRefusal(response as unknown as ServerResponse, request as unknown as IncomingMessage, {
        ...refused,
        body: "{}",
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const stream = session.request({ ":path": "/" });
    const head = await new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("error", reject);
    });
    let text = "";
    for await (const piece of stream.setEncoding("utf8")) text += piece;
    session.close();
    server.close();
    expect([head[":status"], head["retry-after"], head["content-length"], text]).toEqual([
      429,
      "60",
      "2",
      "{}",
    ]);
  });
});
