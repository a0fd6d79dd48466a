// @vitest-environment happy-dom
import { act } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useCountdown } from "./index.ts";

const start = Date.UTC(2026, 10, 24);
let root: Root | undefined;
let box: HTMLElement;
let renders = 0;

function Clock({ deadline, clock }: { deadline: number | null | undefined; clock?: { now(): number } }) {
  const { seconds, done } = useCountdown(deadline, clock && { clock });
  renders++;
  return <p>{`${seconds} ${done ? "done" : "waiting"}`}</p>;
}

async function render(deadline: number | null | undefined, clock?: { now(): number }): Promise<void> {
  root ??= createRoot(box);
  const shown = root;
  await act(async () => shown.render(<Clock deadline={deadline} {...(clock && { clock })} />));
}

async function pass(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers({ now: start });
  box = document.body.appendChild(document.createElement("div"));
  renders = 0;
});
afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
  box.remove();
  // No timer outlives the component.
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("useCountdown", () => {
  it.each([
    [Number.NaN, "NaN"],
    ["2026-11-24", "2026-11-24"],
    [{}, "[object Object]"],
  ])("throws for the invalid deadline %j", (deadline, shown) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(() => renderToString(<Clock deadline={deadline as number} />)).toThrow(
      new TypeError(`useCountdown: the deadline must be a number, got ${shown}`),
    );
  });

  it("counts whole seconds, rounded up, down to 0 at the deadline", async () => {
    await render(start + 2500);
    expect(box.textContent).toBe("3 waiting");
    await pass(499);
    expect(box.textContent).toBe("3 waiting");
    await pass(1);
    expect(box.textContent).toBe("2 waiting");
    await pass(1999);
    expect(box.textContent).toBe("1 waiting");
    await pass(1);
    expect(box.textContent).toBe("0 done");
    await pass(60_000);
    expect(box.textContent).toBe("0 done");
  });

  it("renders once a second", async () => {
    await render(start + 5000);
    const before = renders;
    await pass(1000);
    expect(renders - before).toBe(1);
    await act(async () => {
      for (let times = 0; times < 5; times++) window.dispatchEvent(new Event("focus"));
    });
    expect(renders - before).toBe(1);
  });

  it.each(["visibilitychange", "focus", "pageshow"])(
    "is correct after sleep, as soon as the page sends %s",
    async (event) => {
      await render(start + 60_000);
      vi.setSystemTime(start + 50_000);
      await act(async () => {
        (event === "visibilitychange" ? document : window).dispatchEvent(new Event(event));
      });
      expect(box.textContent).toBe("10 waiting");
    },
  );

  it("is done without a deadline, or after it", async () => {
    await render(null);
    expect(box.textContent).toBe("0 done");
    await render(undefined);
    expect(box.textContent).toBe("0 done");
    await render(start - 1);
    expect(box.textContent).toBe("0 done");
  });

  it("follows a new deadline", async () => {
    await render(start + 1000);
    await pass(1000);
    expect(box.textContent).toBe("0 done");
    await render(start + 9000);
    expect(box.textContent).toBe("8 waiting");
    await render(null);
    expect(box.textContent).toBe("0 done");
  });

  it("counts down from waits longer than a timer can run", async () => {
    await render(start + 40 * 24 * 3600 * 1000);
    expect(box.textContent).toBe("3456000 waiting");
    await pass(1000);
    expect(box.textContent).toBe("3455999 waiting");
  });

  it("never ends an infinite wait, and has no timer for it", async () => {
    await render(Number.POSITIVE_INFINITY);
    expect(box.textContent).toBe("Infinity waiting");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("uses the given clock", async () => {
    await render(5000, { now: () => 1000 });
    expect(box.textContent).toBe("4 waiting");
  });

  it("renders the server's markup during hydration", async () => {
    box.innerHTML = renderToString(<Clock deadline={start + 5000} />);
    expect(box.textContent).toBe("0 waiting");
    const errors = vi.spyOn(console, "error");
    await act(async () => {
      root = hydrateRoot(box, <Clock deadline={start + 5000} />);
    });
    expect(box.textContent).toBe("5 waiting");
    expect(errors).not.toHaveBeenCalled();
  });
});
