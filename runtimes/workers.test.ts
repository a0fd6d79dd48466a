import { adapterSuite } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorker, startWorker } from "./engines/workerd.ts";

/**
 * If only another request can continue a request, workerd ends it before the Worker notices that the client
 * has left.
 */
const HANGING = [
  "a place is free again if the client hangs up before there is a response",
  "a client that leaves while the store is asked is refunded, and the handler does not run",
  "a client that leaves while skip waits is not charged, and the handler does not run",
  "a client that leaves while caller waits is not charged, and the handler does not run",
];

describe("in a Worker", () => {
  let memory: RunningWorker;
  let adapter: RunningWorker;
  beforeAll(async () => {
    memory = await startWorker("programs/memory.ts");
    adapter = await startWorker("programs/adapter.ts");
  });
  afterAll(async () => {
    await memory?.close();
    await adapter?.close();
  });

  it("imports every subpath and creates limiters and stores while the module loads", async () => {
    const imports = await startWorker("programs/imports.ts");
    try {
      expect(await (await fetch(imports.origin)).json()).toEqual({ parts: 11, made: 6 });
    } finally {
      await imports.close();
    }
  });

  it("limits each caller separately, with a limiter that was created while the module loaded", async () => {
    const statuses = async (user: string) => {
      const all: number[] = [];
      for (let n = 0; n < 3; n += 1) all.push((await fetch(`${memory.origin}/?user=${user}`)).status);
      return all;
    };
    expect(await statuses("ada")).toEqual([200, 200, 429]);
    expect(await statuses("bea")).toEqual([200, 200, 429]);
  });

  describe("adapterSuite, on headgate/fetch", () => {
    const names = adapterSuite({ serve: () => Promise.reject(new Error("It is served in the Worker.")) });
    it("still contains the tests that are left out", () => {
      expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining(HANGING));
    });

    it.each(names.map(({ name }) => name).filter((name) => !HANGING.includes(name)))("%s", async (name) => {
      const answer = await fetch(`${adapter.origin}/?test=${encodeURIComponent(name)}`);
      expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 204, text: "" });
    });
  });
});
