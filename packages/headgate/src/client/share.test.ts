import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient, RateLimitedError } from "./index.ts";

const clients: Client[] = [];

function tab(answer: () => Response, share: string | false = "test"): Client {
  const client = createClient({ share, fetch: async () => answer() });
  clients.push(client);
  return client;
}

const refused = (seconds: number) => () =>
  Response.json(
    { detail: "Slow down." },
    { status: 429, headers: { "Retry-After": `${seconds}`, RateLimit: '"user-per-minute";r=0;t=9' } },
  );

async function refuse(client: Client): Promise<void> {
  await expect(client.fetch("https://chat.example/")).rejects.toBeInstanceOf(RateLimitedError);
}

function news(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.subscribe(() => {
      stop();
      resolve();
    });
  });
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  vi.unstubAllGlobals();
});

describe("a client in several tabs", () => {
  it("shares a refusal, with its deadline and its message", async () => {
    const [first, second] = [tab(refused(9)), tab(refused(9))];
    const heard = news(second);
    await refuse(first);
    await heard;
    const theirs = second.refusal();
    expect(theirs).toBeInstanceOf(RateLimitedError);
    expect(theirs?.deadline).toBe(first.refusal()?.deadline);
    expect(theirs?.message).toBe("Slow down.");
    expect(theirs?.response).toBeUndefined();
    expect(second.quota()).toEqual(first.quota());
  });

  it("keeps the newest refusal, whichever tab got it", async () => {
    const [first, second] = [tab(refused(9)), tab(refused(99))];
    let heard = news(first);
    await refuse(second);
    await heard;
    expect(first.refusal()?.deadline).toBe(second.refusal()?.deadline);
    await vi.waitUntil(() => Date.now() > (second.refusal()?.deadline ?? 0) - 99_000);
    heard = news(second);
    await refuse(first);
    await heard;
    expect(second.refusal()?.retryAfterMs).toBe(9000);
    expect(second.refusal()?.deadline).toBe(first.refusal()?.deadline);
  });

  it("neither receives nor sends after being closed", async () => {
    const [first, second, third] = [tab(refused(9)), tab(refused(9)), tab(refused(9))];
    second.subscribe(() => {});
    second.close();
    third.close();
    const witness = tab(refused(9));
    const heard = news(witness);
    await refuse(third);
    expect(third.refusal()).toBeDefined();
    await refuse(first);
    await heard;
    expect(witness.refusal()?.deadline).toBe(first.refusal()?.deadline);
    expect(second.refusal()).toBeUndefined();
  });

  it("ignores messages that are not Headgate's", async () => {
    const client = tab(refused(9));
    const listener = vi.fn();
    client.subscribe(listener);
    const stranger = new BroadcastChannel("test");
    for (const message of ["hello", null, 5, { quota: 3 }, []]) stranger.postMessage(message);
    const heard = news(client);
    await refuse(tab(refused(9)));
    await heard;
    stranger.close();
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it("works without BroadcastChannel", async () => {
    vi.stubGlobal("BroadcastChannel", undefined);
    const client = tab(refused(9));
    client.subscribe(() => {});
    await refuse(client);
    expect(client.refusal()).toBeDefined();
  });

  it("does not share outside a page by default", async () => {
    const made = vi.fn(class {});
    vi.stubGlobal("BroadcastChannel", made);
    const client = createClient({ fetch: async () => refused(9)() });
    client.subscribe(() => {});
    await refuse(client);
    expect(made).not.toHaveBeenCalled();
    vi.stubGlobal("document", {});
    createClient().subscribe(() => {});
    expect(made).toHaveBeenCalledWith("headgate");
  });

  it("does not keep Node alive", () => {
    const module = fileURLToPath(new URL("./index.ts", import.meta.url));
    const script = `
      import { createClient } from ${JSON.stringify(module)};
      createClient({ share: "alive" }).subscribe(() => {});
      console.log("done");`;
    const child = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      timeout: 20_000,
      encoding: "utf8",
    });
    expect(child).toMatchObject({ status: 0, stdout: "done\n" });
  });
});
