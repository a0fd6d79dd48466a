// @vitest-environment happy-dom
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client/index.ts";
import { useRateLimit } from "./index.ts";

const start = Date.UTC(2026, 10, 24);
let root: Root;
let box: HTMLElement;
let client: Client;
let answer: () => Response;
let renders = 0;
let clear = () => {};

function Probe() {
  const state = useRateLimit(client);
  clear = state.clear;
  renders++;
  const { tightest, usedShare, refusal } = state;
  return (
    <p>{`${tightest?.name ?? "-"} ${tightest?.remaining ?? "-"} ${usedShare} ${refusal?.retryAfterSeconds ?? "-"}`}</p>
  );
}

function respond(status: number, remaining: number, resetSeconds: number): void {
  const headers = {
    RateLimit: `"minute";r=${remaining};t=${resetSeconds}, "hour";r=50;t=3000`,
    "RateLimit-Policy": '"minute";q=5;w=60, "hour";q=60;w=3600',
    "Retry-After": "42",
  };
  answer = () => new Response("", { status, headers });
}

async function send(): Promise<void> {
  await act(async () => {
    await client.fetch("https://chat.example/").catch(() => {});
  });
}

async function pass(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

beforeEach(async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers({ now: start });
  client = createClient({ share: false, fetch: async () => answer() });
  box = document.body.appendChild(document.createElement("div"));
  root = createRoot(box);
  await act(async () => root.render(<Probe />));
  renders = 0;
});
afterEach(async () => {
  await act(async () => root.unmount());
  box.remove();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("useRateLimit", () => {
  it("is empty at first, and on a server", () => {
    expect(box.textContent).toBe("- - 0 -");
    expect(renderToString(<Probe />)).toContain("- - 0 -");
  });

  it("shows the tightest limit and how much of it is used", async () => {
    respond(200, 1, 12);
    await send();
    expect(box.textContent).toBe("minute 1 0.8 -");
    expect(renders).toBe(1);
  });

  it("shows units that become free: one at the reset, all after the window", async () => {
    respond(200, 0, 12);
    await send();
    expect(box.textContent).toBe("minute 0 1 -");
    await pass(11_999);
    expect(box.textContent).toBe("minute 0 1 -");
    await pass(1);
    expect(box.textContent).toBe("minute 1 0.8 -");
    await pass(47_999);
    expect(box.textContent).toBe("minute 1 0.8 -");
    await pass(1);
    expect(box.textContent).toBe("minute 5 0 -");
  });

  it("shows a refusal until its deadline, without needless renders", async () => {
    respond(429, 0, 42);
    await send();
    expect(box.textContent).toBe("minute 0 1 42");
    await pass(41_999);
    expect(renders).toBe(1);
    await pass(1);
    expect(box.textContent).toBe("minute 1 0.8 -");
  });

  it("drops a refusal whose deadline has passed when the machine wakes up", async () => {
    respond(429, 0, 42);
    await send();
    vi.setSystemTime(start + 42_000);
    await act(async () => {
      document.dispatchEvent(new Event("visibilitychange"));
    });
    expect(box.textContent).toBe("minute 1 0.8 -");
  });

  it("forgets a refusal on clear()", async () => {
    respond(429, 0, 42);
    await send();
    await act(async () => clear());
    expect(box.textContent).toBe("minute 0 1 -");
  });

  it("does not render for a response that changes nothing", async () => {
    answer = () => new Response("");
    await send();
    expect(renders).toBe(0);
  });
});
