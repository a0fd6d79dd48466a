import { createLimiter, type Refused } from "headgate";
import { fakeClock } from "headgate/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createCollector } from "../counting/collector.ts";
import { type ConsoleOptions, createConsole } from "./console.ts";
import { limiterDesk } from "./limiter-desk.ts";
import { operatorToken } from "./operator-token.ts";

const ORIGIN = "https://example.com";
const TOKEN = "an operator's token of this test";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function setUp(more: Partial<ConsoleOptions> = {}) {
  const clock = fakeClock(Date.UTC(2026, 10, 10, 9));
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "2/minute" }],
    clock,
  });
  const guesses = createLimiter<string>({
    name: "operator",
    layers: [{ name: "ip", key: (ip) => ip, limits: "3/minute" }],
    clock,
  });
  closers.push(limiter.close, guesses.close);
  const collector = createCollector([limiter], { clock });
  const byToken = operatorToken({ token: TOKEN, limiter: guesses, caller: () => "203.0.113.7", clock });
  const failures: unknown[] = [];
  const handle = createConsole({
    collector,
    authorize: byToken.authorize,
    signIn: byToken.signIn,
    callers: limiterDesk({ limiter, caller: (of) => (of.startsWith("user-") ? of : undefined), clock }),
    clock,
    onError: (error) => failures.push(error),
    ...more,
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    handle(new Request(`${ORIGIN}${path}`, { headers }));
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    handle(
      new Request(`${ORIGIN}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Origin: ORIGIN, ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  async function signIn(name = "Ann"): Promise<{ Cookie: string }> {
    const response = await post("/operator/api/sign-in", { token: TOKEN, name });
    expect(response.status).toBe(200);
    return { Cookie: (response.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "" };
  }
  return { clock, limiter, collector, handle, get, post, signIn, failures };
}

const READS = ["now", "policies", "changes", "find?q=user-1", "export?format=csv"].map(
  (name) => `/operator/api/${name}`,
);
const ACTIONS = ["decide", "grant", "code"].map((name) => `/operator/api/${name}`);
const POLICY_ACTIONS = ["check", "replay", "shadow", "end-shadow", "live", "roll-back"].map(
  (name) => `/operator/api/policy/${name}`,
);

describe("access", () => {
  it("requires the option authorize", () => {
    const { collector } = setUp();
    expect(() => createConsole({ collector } as unknown as ConsoleOptions)).toThrow(/needs authorize/);
    expect(() => createConsole({ authorize: () => null } as unknown as ConsoleOptions)).toThrow(
      /needs a collector/,
    );
    expect(() => createConsole({ collector, authorize: () => null, path: "/operator/" })).toThrow(/path of/);
  });

  it("is required for every page and action", async () => {
    const { get, post } = setUp();
    for (const path of READS) expect((await get(path)).status, path).toBe(401);
    for (const path of [...ACTIONS, ...POLICY_ACTIONS]) expect((await post(path, {})).status, path).toBe(401);
    expect(await (await get("/operator/api/session")).json()).toEqual({
      operator: null,
      asksForToken: true,
      link: null,
      title: "Headgate",
    });
  });

  it.each<[string, ConsoleOptions["authorize"]]>([
    ["throws", () => Promise.reject(new Error("down"))],
    ["returns true", () => true as never],
    ["returns an operator without a name", () => ({}) as never],
    ["returns an empty name", () => ({ name: "" })],
  ])("is denied and reported if authorize %s", async (_, authorize) => {
    const { get, post, failures } = setUp({ authorize });
    for (const path of READS) expect((await get(path)).status, path).toBe(500);
    expect((await post("/operator/api/decide", {})).status).toBe(500);
    expect(failures).toHaveLength(READS.length + 1);
    expect(await (await get(READS[0] as string)).text()).not.toContain("down");
  });

  it("is granted by the token, for twelve hours", async () => {
    const { get, post, signIn, clock } = setUp();
    const response = await post("/operator/api/sign-in", { token: TOKEN, name: "Ann" });
    expect(response.headers.get("Set-Cookie")).toMatch(
      /^headgate_operator=[\w-]+\.[\w-]+; Path=\/operator; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/,
    );
    const cookie = await signIn();
    expect(await (await get("/operator/api/session", cookie)).json()).toMatchObject({
      operator: { name: "Ann (token)" },
    });
    expect((await get("/operator/api/now", cookie)).status).toBe(200);
    await clock.advance(43_200_000);
    expect((await get("/operator/api/now", cookie)).status).toBe(401);
  });

  it("is denied with a cookie that is altered or signed with another token", async () => {
    const { get, signIn } = setUp();
    const { Cookie } = await signIn();
    const [payload = "", signature = ""] = Cookie.slice("headgate_operator=".length).split(".");
    const forever = btoa(JSON.stringify({ name: "Eve", until: Number.MAX_SAFE_INTEGER })).replaceAll("=", "");
    for (const forged of [
      `${forever}.${signature}`,
      `${payload}.${signature.slice(1)}`,
      `${payload}.`,
      payload,
      "",
      ".",
      `${payload}.${"A".repeat(43)}`,
    ]) {
      const { status } = await get("/operator/api/now", { Cookie: `headgate_operator=${forged}` });
      expect(status, forged).toBe(401);
    }
    const other = operatorToken({
      token: `${TOKEN} of another`,
      limiter: createLimiter<string>({
        name: "o",
        layers: [{ name: "ip", key: (ip) => ip, limits: "3/minute" }],
      }),
      caller: () => "",
    });
    expect(await other.authorize(new Request(ORIGIN, { headers: { Cookie } }))).toBeNull();
  });

  it("is limited: guesses are counted before they are read, and a correct token is refunded", async () => {
    const { post, signIn, clock } = setUp();
    for (let n = 0; n < 5; n += 1) await signIn();
    for (let n = 0; n < 3; n += 1)
      expect((await post("/operator/api/sign-in", { token: "wrong" })).status).toBe(401);
    const refused = await post("/operator/api/sign-in", "a body that is not JSON and is not read");
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect((await post("/operator/api/sign-in", { token: TOKEN })).status).toBe(429);
    await clock.advance(60_000);
    expect((await post("/operator/api/sign-in", { token: TOKEN })).status).toBe(200);
  });

  it("requires a token of at least 32 characters", () => {
    const limiter = createLimiter<string>({
      name: "x",
      layers: [{ name: "ip", key: (ip) => ip, limits: "3/minute" }],
    });
    const short = "x".repeat(31);
    expect(() => operatorToken({ token: short, limiter, caller: () => "" })).toThrow(/32 characters/);
    expect(() => operatorToken({ token: short, limiter, caller: () => "" })).not.toThrow(new RegExp(short));
  });
});

describe("cross-site requests", () => {
  it.each<[string, Record<string, string>]>([
    ["another origin", { Origin: "https://evil.example" }],
    ["no origin", { Origin: "null" }],
    ["another site by Fetch Metadata", { "Sec-Fetch-Site": "cross-site" }],
    ["a sister site", { "Sec-Fetch-Site": "same-site" }],
    ["another port", { Origin: `${ORIGIN}:8443` }],
  ])("are refused: %s", async (_, headers) => {
    const { post, signIn, limiter } = setUp();
    const cookie = await signIn();
    for (const path of [...ACTIONS, "/operator/api/sign-in", "/operator/api/sign-out"])
      expect((await post(path, { what: "block", of: "user-1" }, { ...cookie, ...headers })).status).toBe(403);
    expect((await limiter.peek("user-1")).admitted).toBe(true);
  });

  it("are refused without an origin, and as a form", async () => {
    const { handle, signIn } = setUp();
    const { Cookie } = await signIn();
    const send = (headers: Record<string, string>) =>
      handle(
        new Request(`${ORIGIN}/operator/api/decide`, {
          method: "POST",
          headers: { Cookie, ...headers },
          body: "{}",
        }),
      );
    expect((await send({ "Content-Type": "application/json" })).status).toBe(403);
    expect((await send({ "Content-Type": "text/plain", Origin: ORIGIN })).status).toBe(415);
  });

  it("are recognised by the public origin if a proxy changes the host", async () => {
    const { post, signIn } = setUp();
    const cookie = await signIn();
    const behind = setUp({ origin: "https://chat.example.com" });
    const path = "/operator/api/sign-in";
    expect((await behind.post(path, { token: TOKEN })).status).toBe(403);
    const ok = await behind.post(path, { token: TOKEN }, { Origin: "https://chat.example.com" });
    expect(ok.status).toBe(200);
    expect((await post("/operator/api/decide", { what: "reset", of: "user-1" }, cookie)).status).toBe(200);
  });
});

describe("the page", () => {
  it("loads only its own files, at addresses that work behind a proxy's prefix", async () => {
    const { get } = setUp();
    for (const [path, base] of [
      ["/operator", "operator/assets/"],
      ["/operator/", "assets/"],
    ] as const) {
      const page = await get(path);
      const html = await page.text();
      expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'none'; script-src 'self'");
      expect(html).not.toMatch(/<script(?![^>]* src=)|\sstyle=|\son\w+=|https?:/);
      const files = [...html.matchAll(/(?:src|href)="([^"]*assets[^"]*)"/g)].map(([, file = ""]) => file);
      expect(files).toHaveLength(2);
      for (const file of files) {
        expect(file.startsWith(base)).toBe(true);
        const answer = await get(new URL(file, `${ORIGIN}${path}`).pathname);
        expect([answer.status, answer.headers.get("Cache-Control")]).toEqual([
          200,
          "public, max-age=31536000, immutable",
        ]);
      }
    }
  });

  it.each(["/", "/operators", "/operator/x", "/operator/assets/x.js", "/operator/api/x", "/operator/../x"])(
    "returns 404 at %s",
    async (path) => {
      const { get, signIn } = setUp();
      expect((await get(path, await signIn())).status).toBe(404);
    },
  );

  it("shows a title as text", async () => {
    const { get } = setUp({ title: "<script>" });
    expect(await (await get("/operator")).text()).not.toContain("<script>");
  });
});

describe("an operator", () => {
  it("finds a refusal by its id, sets other limits, and sees them in the log", async () => {
    const { get, post, signIn, limiter, collector } = setUp();
    const cookie = await signIn();
    await limiter.admit("user-1");
    await limiter.admit("user-1");
    collector.name((await limiter.admit("user-1")) as Refused, "request-7");

    const found = await (await get("/operator/api/find?q=request-7", cookie)).json();
    expect(found).toMatchObject({
      refusal: { requestId: "request-7", of: "user-1", limit: "user-per-minute", waitMs: 60_000 },
      caller: { of: "user-1", standing: { blocked: false, limits: [{ remaining: 0, quota: 2 }] } },
    });
    const decision = {
      what: "override",
      of: "user-1",
      limits: "30/minute",
      forMs: 86_400_000,
      reason: "=1+1",
    };
    const done = await (await post("/operator/api/decide", decision, cookie)).json();
    expect(done).toMatchObject({ standing: { overrides: [{ limits: "30/minute", by: "Ann (token)" }] } });
    expect((await limiter.admit("user-1")).admitted).toBe(true);

    await post("/operator/api/decide", { what: "block", of: "user-2" }, cookie);
    await post("/operator/api/decide", { what: "end", of: "user-2" }, cookie);
    const { inForce, log } = await (await get("/operator/api/changes", cookie)).json();
    expect(inForce.map(({ of }: { of: string }) => of)).toEqual(["user-1"]);
    expect(log.map(({ what, of }: { what: string; of: string }) => `${what} ${of}`)).toEqual([
      "end user-2",
      "block user-2",
      "override user-1",
    ]);
    expect((await get("/operator/api/export?format=xml", cookie)).status).toBe(400);
    const csv = await (await get("/operator/api/export?format=csv", cookie)).text();
    expect(csv.split("\r\n")[0]).toBe("at,what,of,limits,until,reason,by,before,after");
    // A spreadsheet would evaluate a cell that begins with an equals sign.
    expect(csv).toContain("30/minute,2026-11-11T09:00:00.000Z,'=1+1,Ann (token),,");
  });

  it("who types a text in the format of a caller sees the caller, even if the text is also a request id", async () => {
    const { get, post, signIn, limiter, collector } = setUp();
    const cookie = await signIn();
    const anybody = setUp({
      collector,
      callers: limiterDesk({ limiter, caller: (of) => (of.includes("nobody") ? undefined : of) }),
    });
    for (const chosen of [
      "account:7",
      "user:7",
      "visitor:::1",
      "ip:203.0.113.7",
      "ann@example.com",
      "ip:nobody",
    ]) {
      for (let n = 0; n < 2; n += 1) await limiter.admit(`user-${chosen}`);
      collector.name((await limiter.admit(`user-${chosen}`)) as Refused, chosen);
      const path = `/operator/api/find?q=${encodeURIComponent(chosen)}`;
      const found = await (await anybody.get(path, await anybody.signIn())).json();
      expect(found.refusal, chosen).toBeNull();
      expect(found.caller?.of ?? null, chosen).toBe(chosen === "ip:nobody" ? null : chosen);
    }
    const { refusals } = await (await get("/operator/api/now", cookie)).json();
    expect(refusals.map(({ foundBy }: { foundBy: unknown }) => foundBy)).toEqual(Array(6).fill(null));
    expect((await post("/operator/api/sign-out", {}, cookie)).status).toBe(200);
  });

  it("types callers in the format that the desk defines", async () => {
    const { limiter, collector } = setUp();
    const callers = limiterDesk({ limiter, caller: (of) => of, isCaller: (of) => of.startsWith("user-") });
    const { get, signIn } = setUp({ collector, callers });
    const cookie = await signIn();
    for (const chosen of ["user-2", "ip:a-request"]) {
      for (let n = 0; n < 2; n += 1) await limiter.admit("user-1");
      collector.name((await limiter.admit("user-1")) as Refused, chosen);
    }
    const byName = await (await get("/operator/api/find?q=user-2", cookie)).json();
    expect([byName.refusal, byName.caller.of]).toEqual([null, "user-2"]);
    const byId = await (await get("/operator/api/find?q=ip:a-request", cookie)).json();
    expect([byId.refusal.requestId, byId.caller.of]).toEqual(["ip:a-request", "user-1"]);
  });

  it("sees all refusals with the same id, but no caller", async () => {
    const { get, signIn, limiter, collector } = setUp();
    for (const user of ["user-1", "user-2"]) {
      for (let n = 0; n < 2; n += 1) await limiter.admit(user);
      collector.name((await limiter.admit(user)) as Refused, "the-same");
    }
    const found = await (await get("/operator/api/find?q=the-same", await signIn())).json();
    expect(found).toMatchObject({ refusal: null, caller: null });
    expect(found.ambiguous.map(({ of }: { of: string }) => of).sort()).toEqual(["user-1", "user-2"]);
  });

  it("sees the last refusals of each limiter, even if another limiter refuses more requests", async () => {
    const { clock } = setUp();
    const [quiet, loud] = ["quiet", "loud"].map((name) =>
      createLimiter<string>({
        name,
        layers: [{ name: "user", key: (user) => user, limits: "1/minute" }],
        clock,
      }),
    );
    if (!quiet || !loud) throw new Error("There are two.");
    closers.push(quiet.close, loud.close);
    const { get, signIn } = setUp({ collector: createCollector([quiet, loud], { clock }), clock });
    for (let n = 0; n < 2; n += 1) await quiet.admit("ann");
    await clock.advance(1_000);
    for (let n = 0; n < 30; n += 1)
      for (let times = 0; times < 2; times += 1) await loud.admit(`caller ${n}`);
    const { refusals } = await (await get("/operator/api/now", await signIn())).json();
    const of = (name: string) => refusals.filter(({ limiter }: { limiter: string }) => limiter === name);
    expect([of("quiet").length, of("loud").length]).toEqual([1, 20]);
  });

  it("sees no actions for a caller whose key was cut", async () => {
    const { get, signIn, limiter, collector } = setUp();
    const caller = `user-${"x".repeat(300)}`;
    for (let n = 0; n < 2; n += 1) await limiter.admit(caller);
    collector.name((await limiter.admit(caller)) as Refused, "request-8");
    const cookie = await signIn();
    const now = await (await get("/operator/api/now", cookie)).json();
    expect(now.refusals).toMatchObject([{ of: null, layer: "user" }]);
    const shown = now.tops.flatMap(({ callers }: { callers: { of: unknown }[] }) => callers);
    expect(shown.length).toBeGreaterThan(0);
    for (const { of } of shown) expect(of).toBeNull();
    const found = await (await get("/operator/api/find?q=request-8", cookie)).json();
    expect(found).toMatchObject({ refusal: { requestId: "request-8", of: null }, caller: null });
  });

  it.each<[unknown, number]>([
    [{ what: "override", of: "user-1", limits: "lots" }, 422],
    [{ what: "override", of: "user-1" }, 422],
    [{ what: "block", of: "user-1", forMs: -1 }, 422],
    [{ what: "block", of: "user-1", reason: "two\nlines" }, 422],
    [{ what: "block", of: "nobody" }, 422],
    [{ what: "open", of: "user-1" }, 422],
    [{ what: "block", of: "user-1", until: 1_800_000_000_000 }, 422],
    [{ what: "reset", of: "user-1", forMs: 1_000 }, 422],
    [{ what: "block", of: ["user-1"] }, 422],
    [[], 422],
    ["{", 400],
    [{ what: "block", of: "x".repeat(2_000) }, 422],
    [`${" ".repeat(9_000)}{}`, 413],
  ])("gets an error for an invalid order, %#", async (body, status) => {
    const { post, signIn, failures } = setUp();
    const response = await post("/operator/api/decide", body, await signIn());
    expect([response.status, typeof (await response.json()).detail, failures]).toEqual([
      status,
      "string",
      [],
    ]);
  });

  it("sees the processes of a shared store, the age of each summary, and how many summaries are unreadable", async () => {
    const elsewhere = setUp();
    await elsewhere.limiter.admit("user-9");
    const text = JSON.stringify(elsewhere.collector.summary());
    const { get, signIn, limiter } = setUp({
      others: async () => [
        { text, ageMs: 1_500 },
        { text: "{}", ageMs: 0 },
      ],
    });
    await limiter.admit("user-1");
    const now = await (await get("/operator/api/now", await signIn())).json();
    expect(now.processes.map(({ state, ageMs }: { state: string; ageMs: number }) => [state, ageMs])).toEqual(
      [
        ["own", 0],
        ["live", 1_500],
      ],
    );
    expect(now.unreadable).toBe(1);
    expect(now.readsOthers).toBe(true);
    const alone = setUp();
    const itsNow = await (await alone.get("/operator/api/now", await alone.signIn())).json();
    expect(itsNow.readsOthers).toBe(false);
    const admitted = now.series.find(({ key }: { key: string[] }) => key[1] === "admitted");
    expect(admitted.counts.at(-1)).toBe(2);
    expect(now.policies).toMatchObject([
      { limiter: "chat", layers: [{ name: "user", limits: [{ limits: "2/minute" }] }] },
    ]);
  });

  it("can sign out", async () => {
    const { post, signIn } = setUp();
    const response = await post("/operator/api/sign-out", {}, await signIn());
    expect(response.headers.get("Set-Cookie")).toMatch(/^headgate_operator=; .*Max-Age=0/);
  });
});

it("every route reports an unavailable dependency with the same message", async () => {
  const away = () => Promise.reject(new Error("postgres://secret is gone"));
  const { get, post, signIn, failures } = setUp({
    others: away,
    callers: { hint: "", nameOf: () => undefined, show: away, decide: away, inForce: away, log: away },
    credit: { currency: "GBP", grant: away, issueCode: away },
    unavailable: (error) => (/is gone/.test(String(error)) ? "The database cannot be reached." : undefined),
  });
  const cookie = await signIn();
  const orders = {
    decide: { what: "block", of: "user-1" },
    grant: { of: "user-1", amount: "1", id: "one-grant-of-this-test" },
    code: { amount: "1" },
  };
  const answers = [
    ...(await Promise.all(READS.map((path) => get(path, cookie)))),
    ...(await Promise.all(
      Object.entries(orders).map(([name, order]) => post(`/operator/api/${name}`, order, cookie)),
    )),
  ];
  expect(answers).toHaveLength(READS.length + ACTIONS.length);
  for (const answer of answers)
    expect([answer.status, answer.headers.get("Content-Type"), await answer.json()]).toEqual([
      503,
      "application/problem+json",
      { type: "about:blank", title: "Unavailable", status: 503, detail: "The database cannot be reached." },
    ]);
  expect(failures).toHaveLength(answers.length);
});

it("a search by request id returns 503 if the state of the caller cannot be read", async () => {
  const { get, signIn, limiter, collector } = setUp();
  for (let n = 0; n < 2; n += 1) await limiter.admit("user-1");
  collector.name((await limiter.admit("user-1")) as Refused, "request-7");
  const callers = {
    ...limiterDesk({ limiter, caller: (of: string) => of }),
    show: () => Promise.reject(new Error("gone")),
  };
  const other = setUp({ collector, callers, unavailable: () => "The database cannot be reached." });
  const found = await other.get("/operator/api/find?q=request-7", await other.signIn());
  expect(found.status).toBe(503);
  expect((await get("/operator/api/find?q=request-7", await signIn())).status).toBe(200);
});

it("an unexpected error is reported and not shown to the operator", async () => {
  const report = vi.fn();
  const { get, signIn } = setUp({
    others: () => Promise.reject(new Error("postgres://secret")),
    onError: report,
  });
  const response = await get("/operator/api/now", await signIn());
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("secret");
  expect(report).toHaveBeenCalledOnce();
});
