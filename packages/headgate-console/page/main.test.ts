// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Now } from "../src/serving/view.ts";

const OPEN = {
  operator: { name: "Ann" },
  features: { callers: null, credit: null, canSignOut: true },
  title: "Headgate",
};
const CLOSED = { operator: null, asksForToken: true, link: null, title: "Headgate" };
const NOW: Now = {
  at: 0,
  from: 0,
  stepMs: 15_000,
  series: [],
  processes: [],
  readsOthers: false,
  unreadable: 0,
  tops: [],
  refusals: [],
  policies: [],
};

let answers: Record<string, () => Response>;

beforeEach(() => {
  vi.resetModules();
  document.body.innerHTML = '<div id="console"></div>';
  location.hash = "";
  answers = { session: () => Response.json(OPEN), now: () => Response.json(NOW) };
  vi.stubGlobal("fetch", async (url: URL) => {
    const answer = answers[url.pathname.split("/api/")[1] ?? ""];
    return answer === undefined ? new Response(null, { status: 404 }) : answer();
  });
});
afterEach(() => {
  const root = document.getElementById("console");
  if (root) render(null, root);
  vi.unstubAllGlobals();
});

const problem = (detail: string) => Response.json({ detail }, { status: 401 });
const shown = () => document.body.textContent ?? "";

it("shows the door again when the session has ended", async () => {
  await import("./main.tsx");
  await vi.waitFor(() => expect(shown()).toContain("Processes and their store"));
  answers = { session: () => Response.json(CLOSED), changes: () => problem("Only operators see this.") };
  location.hash = "#log";
  await vi.waitFor(() => expect(document.querySelector("input[name=token]")).not.toBeNull());
  expect(shown()).toContain("Your session has ended.");
  expect(document.querySelector("nav")).toBeNull();
});

it("says of a wrong token that it is wrong", async () => {
  answers = {
    session: () => Response.json(CLOSED),
    "sign-in": () => problem("This is not the operator's token."),
  };
  await import("./main.tsx");
  await vi.waitFor(() => expect(document.querySelector("form")).not.toBeNull());
  document.querySelector("form")?.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await vi.waitFor(() => expect(shown()).toContain("This is not the operator's token."));
  expect(shown()).not.toContain("Your session has ended.");
});

it.each([
  [true, "stays for an hour", "through a restart"],
  [false, "through a restart", "stays for an hour"],
])(
  "says what is kept of processes that ended, where others are read: %s",
  async (readsOthers, said, unsaid) => {
    answers.now = () => Response.json({ ...NOW, readsOthers });
    await import("./main.tsx");
    await vi.waitFor(() => expect(shown()).toContain(said));
    expect(shown()).not.toContain(unsaid);
  },
);
