import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { boundedJson } from "./bounded-json.ts";
import { JsonBodyError } from "./json-body-error.ts";
import { type JsonBounds, scanJson } from "./json-scan.ts";

const endless: JsonBounds = { bytes: 1e9, depth: 1e9, nodes: 1e9, stringLength: 1e9 };
const encoder = new TextEncoder();

/** The extent of a JSON text, measured on the result of `JSON.parse`. */
function extentOf(text: string): JsonBounds {
  const extent: JsonBounds = { bytes: encoder.encode(text).byteLength, depth: 0, nodes: 0, stringLength: 0 };
  const see = (word: unknown) => {
    extent.nodes += 1;
    const length = typeof word === "string" ? word.length : JSON.stringify(word).length;
    extent.stringLength = Math.max(extent.stringLength, length);
  };
  (function visit(value: unknown, depth: number): void {
    if (typeof value !== "object" || value === null) {
      see(value);
      return;
    }
    extent.nodes += 1;
    extent.depth = Math.max(extent.depth, depth + 1);
    if (Array.isArray(value)) {
      for (const item of value) visit(item, depth + 1);
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      see(name);
      visit(inner, depth + 1);
    }
  })(JSON.parse(text), 0);
  return extent;
}

/** JSON with and without spaces and escapes. */
const jsonText = fc
  .tuple(
    fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }),
    fc.constantFrom(undefined, 1, "\t"),
    fc.boolean(),
  )
  .map(([value, space, isEscaped]) => {
    const text = JSON.stringify(value, null, space);
    return isEscaped
      ? text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      : text.replace(/\p{Surrogate}/gu, "\uFFFD");
  });

function inChunks(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

function streamOf(chunks: Uint8Array[]) {
  let read = 0;
  const cancelled = vi.fn();
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[read];
        if (chunk === undefined) return controller.close();
        read += 1;
        controller.enqueue(chunk);
      },
      cancel: cancelled,
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled, chunksRead: () => read };
}

async function refusalOf(reading: Promise<unknown>): Promise<JsonBodyError> {
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(JsonBodyError);
  return error as JsonBodyError;
}

describe("scanJson", () => {
  it("measures the result of JSON.parse, however the bytes are split into chunks", () => {
    fc.assert(
      fc.property(jsonText, fc.integer({ min: 1, max: 7 }), (text, size) => {
        const scan = scanJson(endless);
        for (const chunk of inChunks(encoder.encode(text), size)) expect(scan.push(chunk)).toBeUndefined();
        expect(scan.extent).toEqual(extentOf(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("stops at the bound for any bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.record({
          bytes: fc.integer({ min: 1, max: 300 }),
          depth: fc.integer({ min: 1, max: 4 }),
          nodes: fc.integer({ min: 1, max: 20 }),
          stringLength: fc.integer({ min: 1, max: 20 }),
        }),
        (bytes, bounds) => {
          const scan = scanJson(bounds);
          const exceeded = scan.push(bytes);
          // One byte may exceed several bounds at once, and one character is up to two code units.
          for (const name of Object.keys(bounds) as (keyof JsonBounds)[]) {
            expect(scan.extent[name]).toBeLessThanOrEqual(
              bounds[name] + (exceeded === undefined ? 0 : name === "stringLength" ? 2 : 1),
            );
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("boundedJson", () => {
  it("returns the result of JSON.parse for a body within bounds, from every kind of source", async () => {
    await fc.assert(
      fc.asyncProperty(jsonText, fc.integer({ min: 1, max: 64 }), async (text, size) => {
        const expected = JSON.parse(text);
        const bytes = encoder.encode(text);
        const chunks = inChunks(bytes, size);
        expect(await boundedJson(text)).toEqual(expected);
        expect(await boundedJson(bytes)).toEqual(expected);
        expect(await boundedJson(streamOf(chunks).stream)).toEqual(expected);
        expect(await boundedJson(new Request("http://localhost", { method: "POST", body: bytes }))).toEqual(
          expected,
        );
      }),
      { numRuns: 300 },
    );
  });

  it("accepts a body exactly at each bound, and names the bound that it exceeds by one", async () => {
    await fc.assert(
      fc.asyncProperty(jsonText, async (text) => {
        const extent = extentOf(text);
        const atLeastOne = Object.fromEntries(
          Object.entries(extent).map(([name, value]) => [name, Math.max(value, 1)]),
        ) as unknown as JsonBounds;
        expect(await boundedJson(text, atLeastOne)).toEqual(JSON.parse(text));
        for (const bound of Object.keys(extent) as (keyof JsonBounds)[]) {
          if (extent[bound] < 2) continue;
          const limit = extent[bound] - 1;
          const error = await refusalOf(boundedJson(text, { ...endless, [bound]: limit }));
          expect([error.reason, error.bound, error.limit]).toEqual(["out-of-bounds", bound, limit]);
          expect(error.message).toContain(limit.toLocaleString("en"));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("throws only documented errors for any bytes, and agrees with JSON.parse on what is JSON", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map((text) => encoder.encode(text)),
        ),
        async (bytes) => {
          let expected: unknown;
          let isJson = true;
          try {
            expected = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
          } catch {
            isJson = false;
          }
          if (isJson) expect(await boundedJson(bytes)).toEqual(expected);
          else expect((await refusalOf(boundedJson(bytes))).reason).toBe("not-json");
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, string, keyof JsonBounds, number]>([
    ["a million brackets", "[".repeat(1_000_000), "depth", 400],
    ["349,000 empty parts", `{"parts":[${"{},".repeat(349_000)}{}]}`, "nodes", 400],
    ["one long text", JSON.stringify("x".repeat(1_000_000)), "stringLength", 400],
    ["a long property name", JSON.stringify({ ["x".repeat(1_000_000)]: 1 }), "stringLength", 400],
    ["a number of a million digits", "1".repeat(1_000_000), "stringLength", 400],
    ["two megabytes of spaces", " ".repeat(2_000_000), "bytes", 1_050],
  ])("reads no more of %s than necessary", async (_case, text, bound, mostKibibytes) => {
    const source = streamOf(inChunks(encoder.encode(text), 1_024));
    expect((await refusalOf(boundedJson(source.stream))).bound).toBe(bound);
    expect(source.chunksRead()).toBeLessThanOrEqual(mostKibibytes);
    expect(source.cancelled).toHaveBeenCalledOnce();
  });

  it("does not read a body whose stated length is too large", async () => {
    const { stream, chunksRead } = streamOf([encoder.encode("{}")]);
    const headers = { "content-length": "2000000" };
    const error = await refusalOf(boundedJson({ body: stream, headers } as { body: typeof stream }));
    expect([error.status, error.bound]).toEqual([413, "bytes"]);
    expect(chunksRead()).toBe(0);
  });

  it.each([
    ["", "The body is empty; it should be JSON."],
    ["  \n", "The body is empty; it should be JSON."],
    ['{"password":"hunter2"', "The body is not JSON."],
  ])("explains the error in %j without quoting it", async (text, message) => {
    const error = await refusalOf(boundedJson(text));
    expect([error.status, error.message]).toEqual([400, message]);
  });

  it("refuses invalid UTF-8, including a character that is cut off", async () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xe2, 0x82],
    ]) {
      expect((await refusalOf(boundedJson(Uint8Array.from(bytes)))).message).toBe(
        "The body is not valid UTF-8.",
      );
    }
  });

  it("distinguishes an incomplete body from an invalid one", async () => {
    const cause = new Error("aborted");
    const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(cause) });
    const error = await refusalOf(boundedJson(stream));
    expect([error.reason, error.cause]).toEqual(["interrupted", cause]);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ size: 1 }, /has no option "size"\. It takes bytes, depth, nodes, stringLength\./],
    [{ nodes: 0 }, /nodes of boundedJson must be a whole number from 1 to \d+, got 0\./],
    [{ bytes: "1mb" }, /bytes of boundedJson must be .*, got "1mb"\./],
    [{ depth: Number.NaN }, /got NaN\./],
    [{ depth: undefined }, /got undefined\./],
  ])("refuses the bounds %j", async (bounds, message) => {
    await expect(boundedJson("{}", bounds)).rejects.toThrow(message);
  });

  it("explains that a body that was already parsed can no longer be bounded", async () => {
    await expect(boundedJson({ body: { a: 1 } } as never)).rejects.toThrow(/mount boundedJson in place/);
  });
});

describe("boundedJson over node:http", () => {
  async function serving(use: (port: number) => Promise<void>): Promise<void> {
    const server = createServer((request, response) => {
      boundedJson(request, { bytes: 100_000, nodes: 1_000 }).then(
        (value) => response.end(JSON.stringify(value)),
        (error: JsonBodyError) => {
          response.writeHead(error.status).end(error.message);
        },
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await use((server.address() as AddressInfo).port);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it("can answer while a refused body is still arriving, and serves the next request", async () => {
    await serving(async (port) => {
      const socket = connect(port, "127.0.0.1");
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk;
      });
      const body = `[${"1,".repeat(40_000)}1]`;
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      await vi.waitFor(() => expect(answer).toContain("more than 1,000 values"));
      socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n[1,2,3]");
      await vi.waitFor(() =>
        expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*HTTP\/1\.1 200 [\s\S]*\[1,2,3\]$/),
      );
      socket.destroy();
    });
  });

  it("refuses by the stated length before the body arrives", async () => {
    await serving(async (port) => {
      const socket = connect(port, "127.0.0.1");
      socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
      const [answer] = (await new Promise((resolve) => socket.once("data", (chunk) => resolve([chunk])))) as [
        Buffer,
      ];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
      socket.destroy();
    });
  });
});
