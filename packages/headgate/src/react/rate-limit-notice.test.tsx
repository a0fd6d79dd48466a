// @vitest-environment happy-dom
import { act, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RateLimitNotice, type RateLimitNoticeProps } from "./index.ts";

const start = Date.UTC(2026, 10, 24);
let root: Root;
let box: HTMLElement;
let said: string[];

async function render(props: Partial<RateLimitNoticeProps> = {}, isStrict = false): Promise<void> {
  const all: RateLimitNoticeProps = {
    deadline: start + 42_000,
    onRetry: () => {},
    announce: (message) => said.push(message),
    ...props,
  };
  const notice = <RateLimitNotice {...all} />;
  await act(async () => root.render(isStrict ? <StrictMode>{notice}</StrictMode> : notice));
}

async function pass(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

/** Advances the wait second by second. */
async function passSeconds(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed++) await pass(1000);
}

function part(name: string): HTMLElement {
  const found = box.querySelector<HTMLElement>(`[data-headgate-${name}]`);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

async function press(): Promise<void> {
  await act(async () => part("retry").click());
}

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers({ now: start });
  box = document.body.appendChild(document.createElement("div"));
  root = createRoot(box);
  said = [];
});
afterEach(async () => {
  await act(async () => root.unmount());
  box.remove();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("RateLimitNotice", () => {
  it("shows how long to wait, and then that the wait is over", async () => {
    await render();
    expect(part("message").textContent).toBe("You're sending messages a bit fast. Please wait 42 s.");
    expect(part("notice").dataset.state).toBe("waiting");
    await passSeconds(41);
    expect(part("message").textContent).toBe("You're sending messages a bit fast. Please wait 1 s.");
    await passSeconds(1);
    expect(part("message").textContent).toBe("You can send again now.");
    expect(part("notice").dataset.state).toBe("ready");
  });

  it("has a button that can always be focused, but works only after the deadline", async () => {
    const onRetry = vi.fn();
    await render({ onRetry });
    const button = part("retry") as HTMLButtonElement;
    expect(button.disabled).toBe(false);
    expect(button.getAttribute("aria-disabled")).toBe("true");
    expect(document.getElementById(button.getAttribute("aria-describedby") ?? "")).toBe(part("message"));
    button.focus();
    await pass(41_999);
    await press();
    expect(onRetry).not.toHaveBeenCalled();
    await pass(1);
    expect(document.activeElement).toBe(button);
    expect(button.getAttribute("aria-disabled")).toBe("false");
    await press();
    expect(onRetry).toHaveBeenCalledTimes(1);
  });

  it("announces the remaining time when the button is pressed too early", async () => {
    await render();
    await passSeconds(5);
    await press();
    expect(said.at(-1)).toBe("You can send again in 37 seconds.");
  });

  it("does not send again while the first request is under way", async () => {
    let finish = () => {};
    const onRetry = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    await render({ onRetry, deadline: start });
    await press();
    await press();
    expect(onRetry).toHaveBeenCalledTimes(1);
    await act(async () => finish());
    await press();
    expect(onRetry).toHaveBeenCalledTimes(2);
  });

  it("announces arrival, milestones and the end, and nothing else", async () => {
    await render({ deadline: start + 75_000 });
    await passSeconds(80);
    expect(said).toEqual([
      "You're sending messages a bit fast. Please wait 1 minute 15 seconds.",
      "You can send again in 1 minute.",
      "You can send again in 30 seconds.",
      "You can send again in 10 seconds.",
      "You can send again now.",
    ]);
  });

  it("announces each message only once, even in strict mode", async () => {
    await render({ deadline: start + 12_000 }, true);
    await passSeconds(13);
    expect(said).toHaveLength(3);
  });

  it("announces only the remaining time after sleeping past several milestones", async () => {
    await render({ deadline: start + 75_000 });
    vi.setSystemTime(start + 70_000);
    await act(async () => {
      window.dispatchEvent(new Event("pageshow"));
    });
    expect(said.slice(1)).toEqual(["You can send again in 5 seconds."]);
    vi.setSystemTime(start + 99_000);
    await act(async () => {
      window.dispatchEvent(new Event("pageshow"));
    });
    expect(said.slice(2)).toEqual(["You can send again now."]);
  });

  it("announces a second refusal too", async () => {
    await render({ deadline: start + 5000 });
    await passSeconds(5);
    await render({ deadline: start + 9000 });
    expect(said.at(-1)).toBe("You're sending messages a bit fast. Please wait 4 seconds.");
  });

  it("accepts other milestones and labels, even labels that change", async () => {
    const labels = (word: string) => ({
      milestone: (seconds: number) => `${word} ${seconds}`,
      ready: `${word}!`,
    });
    await render({ milestones: [3], labels: labels("noch") });
    await passSeconds(35);
    await render({ milestones: [3], labels: labels("encore") });
    await passSeconds(10);
    expect(said.slice(1)).toEqual(["encore 3", "encore!"]);
  });

  it("renders its own live region before it has a message", async () => {
    await render({ announce: undefined as never, deadline: null });
    const region = part("live");
    expect(region.getAttribute("role")).toBe("status");
    expect(region.textContent).toBe("");
    expect(box.querySelector("[data-headgate-notice]")).toBeNull();
    await render({ announce: undefined as never });
    expect(part("live")).toBe(region);
    await pass(150);
    expect(region.textContent).toBe("You're sending messages a bit fast. Please wait 42 seconds.");
    await passSeconds(3);
    expect(region.textContent).toBe("You're sending messages a bit fast. Please wait 42 seconds.");
    expect(region.contains(part("message"))).toBe(false);
  });

  it("renders only what is needed", async () => {
    await render({ deadline: null });
    expect(box.innerHTML).toBe("");
    expect(said).toEqual([]);
  });

  it("has no button if no wait helps", async () => {
    await render({ deadline: Number.POSITIVE_INFINITY });
    expect(part("message").textContent).toBe("This message is too large to be sent.");
    expect(part("notice").dataset.state).toBe("never");
    expect(box.querySelector("button")).toBeNull();
    expect(said).toEqual(["This message is too large to be sent."]);
  });

  it("accepts children, attributes and class names", async () => {
    await render({
      children: ({ seconds, done }) => <b>{`${seconds} ${done}`}</b>,
      className: "notice",
      id: "wait",
    });
    expect(part("message").innerHTML).toBe("<b>42 false</b>");
    expect(part("notice").className).toBe("notice");
    expect(part("notice").id).toBe("wait");
    await render({ classNames: { message: "words", retry: "button" } });
    expect(part("message").className).toBe("words");
    expect(part("retry").className).toBe("button");
    await render({ children: "One moment." });
    expect(part("message").textContent).toBe("One moment.");
  });
});
