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
  cost: null,
};

let answers: Record<string, (init?: RequestInit) => Response>;

beforeEach(() => {
  vi.resetModules();
  document.body.innerHTML = '<div id="console"></div>';
  location.hash = "";
  answers = { session: () => Response.json(OPEN), now: () => Response.json(NOW) };
  vi.stubGlobal("fetch", async (url: URL, init?: RequestInit) => {
    const answer = answers[url.pathname.split("/api/")[1] ?? ""];
    return answer === undefined ? new Response(null, { status: 404 }) : answer(init);
  });
});
afterEach(() => {
  const root = document.getElementById("console");
  if (root) render(null, root);
  vi.unstubAllGlobals();
});

const problem = (detail: string) => Response.json({ detail }, { status: 401 });
const shown = () => document.body.textContent ?? "";

it("shows the sign-in form again when the session has ended", async () => {
  await import("./main.tsx");
  await vi.waitFor(() => expect(shown()).toContain("Processes and their store"));
  answers = { session: () => Response.json(CLOSED), changes: () => problem("Only operators see this.") };
  location.hash = "#log";
  await vi.waitFor(() => expect(document.querySelector("input[name=token]")).not.toBeNull());
  expect(shown()).toContain("Your session has ended.");
  expect(document.querySelector("nav")).toBeNull();
});

it("reports a wrong token", async () => {
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
  [true, "stay for an hour", "on a restart"],
  [false, "on a restart", "stay for an hour"],
])(
  "shows how long counts of ended processes are kept, if other processes are read: %s",
  async (readsOthers, said, unsaid) => {
    answers.now = () => Response.json({ ...NOW, readsOthers });
    await import("./main.tsx");
    await vi.waitFor(() => expect(shown()).toContain(said));
    expect(shown()).not.toContain(unsaid);
  },
);

it("shows in the log the end of a change that ends, with its year, and both hashes of a policy change", async () => {
  const at = Date.UTC(2026, 10, 10, 9);
  const entry = { at, limits: "5.00 GBP", until: null, reason: null, by: "Ann" };
  answers.changes = () =>
    Response.json({
      inForce: [],
      log: [
        { ...entry, what: "grant", of: "ann@example.com" },
        { ...entry, what: "code", of: "anybody with the code" },
        { ...entry, what: "block", of: "user:eve", limits: "blocked" },
        { ...entry, what: "live", of: "chat", limits: null, before: "aaaa", after: "bbbb" },
      ],
    });
  location.hash = "#log";
  await import("./main.tsx");
  await vi.waitFor(() => expect(shown()).toContain("credit granted"));
  const rows = [...document.querySelectorAll("section[aria-label='Actions'] tbody tr")].map((row) =>
    [...row.children].map(({ textContent }) => textContent),
  );
  expect(rows.map(([, , , , until]) => until)).toEqual(["–", "for good", "an operator ends it", "–"]);
  expect(rows[0]?.[0]).toContain("10 Nov 2026");
  expect(rows[3]?.slice(1, 4)).toEqual(["policy made live", "chat", "aaaa → bbbb"]);
  // A limiter is not a caller, so it has no link.
  expect(document.querySelector("a[href='#callers/chat']")).toBeNull();
});

it("sends a failed grant again with the same id, and another grant with another id", async () => {
  const standing = { plan: null, blocked: false, shared: true, limits: [], overrides: [] };
  const sent: { amount: string; id: string }[] = [];
  let isDown = true;
  answers = {
    ...answers,
    session: () => Response.json({ ...OPEN, features: { ...OPEN.features, callers: "", credit: "GBP" } }),
    find: () => Response.json({ refusal: null, ambiguous: [], caller: { of: "account:7", standing } }),
    grant: (init) => {
      sent.push(JSON.parse(String(init?.body)));
      return isDown ? new Response(null, { status: 500 }) : Response.json({ said: "Granted." });
    },
  };
  location.hash = "#callers/account%3A7";
  await import("./main.tsx");
  const field = await vi.waitFor(() => {
    const found = document.querySelector<HTMLInputElement>("#amount");
    if (found === null) throw new Error("It is not there yet.");
    return found;
  });
  const grant = async (amount: string) => {
    const { length } = sent;
    field.value = amount;
    field.form?.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await vi.waitFor(() => expect(sent).toHaveLength(length + 1));
    await vi.waitFor(() => expect(field.form?.querySelector("button")?.disabled).toBe(false));
  };
  await grant("5");
  await grant("5");
  await grant("6");
  isDown = false;
  await grant("6");
  await grant("6");
  const [first, again, other, otherAgain, third] = sent.map(({ id }) => id);
  expect([again, otherAgain]).toEqual([first, other]);
  expect(new Set([first, other, third]).size).toBe(3);
  for (const id of [first, other, third]) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
