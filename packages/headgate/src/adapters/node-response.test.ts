import { createServer, type ServerResponse, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { writeFieldsWithHead } from "./node-response.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Returns the response that a client gets from a handler with a guarded response. */
async function sent(handle: (response: ServerResponse) => void, fields = vi.fn(() => ({ RateLimit: "r" }))) {
  const server = createServer((_request, response) => {
    writeFieldsWithHead(response, fields);
    handle(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new Promise<{
    status: number;
    message: string;
    headers: NodeJS.Dict<string | string[]>;
    body: string;
  }>((resolve, reject) => {
    sendRequest({ port, host: "127.0.0.1" }, (incoming) => {
      let body = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (piece) => {
        body += piece;
      });
      incoming.on("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          message: incoming.statusMessage ?? "",
          headers: incoming.headers,
          body,
        }),
      );
    })
      .on("error", reject)
      .end();
  });
}

describe("writeFieldsWithHead", () => {
  it.each<[how: string, handle: (response: ServerResponse) => void]>([
    ["end", (response) => response.end("body")],
    [
      "write",
      (response) => {
        response.write("bo");
        response.end("dy");
      },
    ],
    [
      "flushHeaders",
      (response) => {
        response.flushHeaders();
        response.end("body");
      },
    ],
    ["writeHead", (response) => response.writeHead(200).end("body")],
    ["writeHead with a message", (response) => response.writeHead(200, "OK").end("body")],
    ["writeHead with an object", (response) => response.writeHead(200, { "X-Own": "a" }).end("body")],
    [
      "writeHead with a message and an object",
      (response) => response.writeHead(200, "OK", { "X-Own": "a" }).end("body"),
    ],
    ["writeHead with a list", (response) => response.writeHead(200, ["X-Own", "a"]).end("body")],
    [
      "writeHead with no message and an object",
      (response) => response.writeHead(200, undefined, { "X-Own": "a" }).end("body"),
    ],
  ])("writes the fields if the head is sent by %s", async (how, handle) => {
    const fields = vi.fn(() => ({ RateLimit: "r" }));
    const { status, message, headers, body } = await sent(handle, fields);
    expect([status, message, headers.ratelimit, body]).toEqual([200, "OK", "r", "body"]);
    expect(headers["x-own"]).toBe(/object|list/.test(how) ? "a" : undefined);
    expect(fields).toHaveBeenCalledOnce();
  });

  it("lets headers of writeHead replace earlier headers, like Node.js", async () => {
    const { headers } = await sent((response) => {
      response.setHeader("X-Own", "before");
      response.setHeader("Set-Cookie", "before=1");
      response.writeHead(200, ["X-Own", "after", "Set-Cookie", "a=1", "Set-Cookie", "b=2"]).end();
    });
    expect(headers["x-own"]).toBe("after");
    expect(headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  });

  it("accepts pairs, like Node.js", async () => {
    const pairs = [
      ["X-Own", "a"],
      ["X-Other", "b"],
    ];
    const { headers } = await sent((response) => response.writeHead(200, pairs as never).end());
    expect([headers["x-own"], headers["x-other"], headers.ratelimit]).toEqual(["a", "b", "r"]);
  });

  it("keeps headers that writeHead exposes to scripts", async () => {
    const { headers } = await sent(
      (response) => response.writeHead(200, ["access-control-expose-headers", ["X-Own", "X-Other"]]).end(),
      vi.fn(() => ({ RateLimit: "r", "Access-Control-Expose-Headers": "RateLimit" })),
    );
    expect(headers["access-control-expose-headers"]).toBe("X-Own, X-Other, RateLimit");
  });

  it("keeps headers exposed by an object of writeHead, and headers exposed earlier", async () => {
    const fields = () => vi.fn(() => ({ RateLimit: "r", "Access-Control-Expose-Headers": "RateLimit" }));
    const given = await sent(
      (response) => response.writeHead(200, { "access-control-expose-headers": "X-Own" }).end(),
      fields(),
    );
    expect(given.headers["access-control-expose-headers"]).toBe("X-Own, RateLimit");
    const before = await sent((response) => {
      response.setHeader("Access-Control-Expose-Headers", "X-Own");
      response.writeHead(200, { "X-Own": "a" }).end();
    }, fields());
    expect(before.headers["access-control-expose-headers"]).toBe("X-Own, RateLimit");
  });

  it("writes its fields once, and does not change the handler's object", async () => {
    const own = { RATELIMIT: "the handler's", "X-Own": "a" };
    const { headers } = await sent((response) => response.writeHead(200, own).end());
    expect([headers.ratelimit, headers["x-own"]]).toEqual(["r", "a"]);
    expect(own).toEqual({ RATELIMIT: "the handler's", "X-Own": "a" });
  });

  it("passes the fields to a writeHead that other code has replaced", async () => {
    const seen: unknown[][] = [];
    const { headers, message } = await sent((response) => {
      const guarded = response.writeHead;
      const outer = (...rest: unknown[]) => {
        seen.push(rest);
        return Reflect.apply(guarded, response, rest) as ServerResponse;
      };
      response.writeHead = outer as ServerResponse["writeHead"];
      response.writeHead(200, "Fine", { "X-Own": "a" }).end();
    });
    expect([headers.ratelimit, headers["x-own"], message]).toEqual(["r", "a", "Fine"]);
    expect(seen).toEqual([[200, "Fine", { "X-Own": "a" }]]);
  });

  it("keeps the Content-Length of a body that is sent in one piece", async () => {
    const { headers } = await sent((response) => response.end("body"));
    expect([headers["content-length"], headers["transfer-encoding"]]).toEqual(["4", undefined]);
  });

  it("throws the same errors as Node.js", async () => {
    const complaints: unknown[] = [];
    const complain = (write: () => unknown) => {
      try {
        write();
      } catch (error) {
        complaints.push((error as { code?: unknown }).code);
      }
    };
    const { status } = await sent((response) => {
      complain(() => response.writeHead(200, ["X-Own"]));
      complain(() => response.writeHead(200, { "X-Own": "line\nbreak" }));
      response.end();
      complain(() => response.writeHead(200));
      complain(() => response.setHeader("X-Own", "late"));
    });
    expect(status).toBe(200);
    expect(complaints).toEqual([
      "ERR_INVALID_ARG_VALUE",
      "ERR_INVALID_CHAR",
      "ERR_HTTP_HEADERS_SENT",
      "ERR_HTTP_HEADERS_SENT",
    ]);
  });
});
