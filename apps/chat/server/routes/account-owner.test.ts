import { eq, getTableName, is } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { AccountSession } from "../../contract.ts";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestClient, type TestService } from "../../testing/service.ts";
import { type SmtpServer, startSmtpServer } from "../../testing/smtp-server.ts";
import type { OpenDatabase } from "../database/connect.ts";
import * as schema from "../database/schema.ts";
import { carryOut } from "../operator/order.ts";
import { createAccounts } from "../services/accounts.ts";
import { createCredit } from "../services/credit.ts";
import { createCreditCodes } from "../services/credit-codes.ts";

vi.setConfig({ testTimeout: 60_000 });

const PASSWORD = "correct horse battery";
const PUBLIC_URL = "https://chat.example.com";

let database: OpenDatabase;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(() => database.close());

async function start(options: Parameters<typeof startTestService>[0] = {}): Promise<TestService> {
  const env = { RATE_LIMIT_SIGN_IN_IP_PER_MIN: "1000", ...options.env };
  const service = await startTestService({ database, ...options, env });
  closers.push(() => service.close());
  return service;
}

async function startMail(): Promise<SmtpServer> {
  const mail = await startSmtpServer();
  closers.push(mail.close);
  return mail;
}

async function signUp(client: TestClient, email: string, name = "Ada"): Promise<void> {
  const response = await client.send("POST", "/auth/sign-up/email", { email, password: PASSWORD, name });
  expect(response.status).toBe(200);
}

async function signIn(service: TestService, email: string, password = PASSWORD): Promise<TestClient> {
  const client = service.client({ "User-Agent": "Firefox/140.0" });
  await client.send("POST", "/auth/sign-in/email", { email, password });
  return client;
}

/** Returns the services that an operator's command uses. */
function operatorServices({ clock }: TestService) {
  const credit = createCredit(database.database, clock, { monthlyAllowance: 1_000_000, currency: "GBP" });
  const accounts = createAccounts({
    database: database.database,
    secret: "x".repeat(32),
    publicUrl: null,
    linkOrigin: "http://localhost:3000",
    signUp: "closed",
    mail: null,
  });
  const codes = createCreditCodes(database.database, clock, credit);
  return { database: database.database, clock, credit, codes, accounts, callerLimits: {} as never };
}

/** Returns the tables that have one of these texts in any column. */
async function tablesWith(...texts: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of Object.values(schema).filter((value) => is(value, PgTable))) {
    const rows = JSON.stringify(await database.database.select().from(table));
    if (texts.some((text) => rows.includes(text))) found.push(getTableName(table));
  }
  return found.sort();
}

const newEmail = () => `${crypto.randomUUID()}@example.com`;

async function kindOf(client: TestClient): Promise<string> {
  return (await (await client("/me")).json()).caller.kind;
}

async function sessionsOf(client: TestClient): Promise<AccountSession[]> {
  return (await (await client("/account/sessions")).json()).sessions;
}

describe("sessions", () => {
  test("are listed without their tokens, and can be ended one by one, or all except the current one", async () => {
    const service = await start();
    const email = newEmail();
    const here = service.client();
    await signUp(here, email);
    const [second, third, fourth] = [
      await signIn(service, email),
      await signIn(service, email),
      await signIn(service, email),
    ];
    const sessions = await sessionsOf(here);
    expect(sessions).toHaveLength(4);
    expect(sessions.filter(({ isCurrent }) => isCurrent)).toHaveLength(1);
    expect(sessions.filter(({ userAgent }) => userAgent === "Firefox/140.0")).toHaveLength(3);
    const token =
      decodeURIComponent(here.cookies.get("headgate.session_token") ?? "").split(".")[0] ?? "none";
    expect(JSON.stringify(sessions)).not.toContain(token);

    const own = (await sessionsOf(second)).find(({ isCurrent }) => isCurrent);
    expect((await here.send("DELETE", `/account/sessions/${own?.id}`)).status).toBe(204);
    expect([await kindOf(second), await kindOf(third), await kindOf(here)]).toEqual([
      "anonymous",
      "account",
      "account",
    ]);
    expect((await here.send("DELETE", "/account/sessions")).status).toBe(204);
    expect([await kindOf(third), await kindOf(fourth), await kindOf(here)]).toEqual([
      "anonymous",
      "anonymous",
      "account",
    ]);
  });

  test("of another account cannot be seen or ended, whatever id is sent", async () => {
    const service = await start();
    const victim = service.client();
    await signUp(victim, newEmail());
    const thief = service.client();
    await signUp(thief, newEmail());
    const [session] = await sessionsOf(victim);
    expect((await thief.send("DELETE", `/account/sessions/${session?.id}`)).status).toBe(404);
    expect(await kindOf(victim)).toBe("account");
    for (const path of ["/account/sessions", "/account/export"]) {
      expect((await service.client()(path)).status).toBe(401);
      expect((await service.client({ "X-User-Id": "x" })(path)).status).toBe(401);
    }
  });

  test("end with the password that opened them", async () => {
    const service = await start();
    const email = newEmail();
    const here = service.client();
    await signUp(here, email);
    const elsewhere = await signIn(service, email);
    const changed = await here.send("POST", "/auth/change-password", {
      currentPassword: PASSWORD,
      newPassword: "four quiet green kettles",
    });
    expect(changed.status).toBe(200);
    expect([await kindOf(here), await kindOf(elsewhere)]).toEqual(["account", "anonymous"]);
    expect(await kindOf(await signIn(service, email))).toBe("anonymous");
    expect(await kindOf(await signIn(service, email, "four quiet green kettles"))).toBe("account");
  });
});

describe("passwords", () => {
  test("that are too common are refused wherever a password is set", async () => {
    const service = await start();
    const email = `${crypto.randomUUID().slice(0, 8)}@example.com`;
    const client = service.client();
    const weak = await client.send("POST", "/auth/sign-up/email", {
      email,
      password: "Password1!",
      name: "x",
    });
    expect([weak.status, (await weak.json()).code]).toEqual([400, "PASSWORD_TOO_COMMON"]);
    await signUp(client, email);
    for (const newPassword of ["qwerty12345", email.split("@")[0] ?? ""]) {
      const changed = await client.send("POST", "/auth/change-password", {
        currentPassword: PASSWORD,
        newPassword,
      });
      expect((await changed.json()).code).toBe("PASSWORD_TOO_COMMON");
    }
    const reset = await client.send("POST", "/auth/reset-password", { token: "x", newPassword: "12345678" });
    expect((await reset.json()).code).toBe("PASSWORD_TOO_COMMON");
  });
});

test("each route that checks a secret, sends an e-mail or exports an account is limited by address, also for wrong guesses", async () => {
  const mail = await startMail();
  const service = await start({
    env: {
      RATE_LIMIT_SIGN_IN_IP_PER_MIN: "2",
      MAIL_URL: mail.url,
      MAIL_FROM: "chat@example.com",
      PUBLIC_URL,
    },
  });
  const client = service.client();
  await signUp(client, newEmail());
  const newPassword = "four quiet green kettles";
  const attempts: Record<string, (guess: number) => Promise<Response>> = {
    "sign in": (guess) =>
      client.send("POST", "/auth/sign-in/email", { email: newEmail(), password: `guess number ${guess}` }),
    "sign up": () =>
      client.send("POST", "/auth/sign-up/email", { email: "no address", password: newPassword, name: "x" }),
    "change a password": (guess) =>
      client.send("POST", "/auth/change-password", { currentPassword: `guess number ${guess}`, newPassword }),
    "reset a password": (guess) =>
      client.send("POST", "/auth/reset-password", { token: `guess-${guess}`, newPassword }),
    "ask for a link to reset": () =>
      client.send("POST", "/auth/request-password-reset", { email: newEmail() }),
    "ask for a link to confirm": () =>
      client.send("POST", "/auth/send-verification-email", { email: newEmail() }),
    "confirm an address": (guess) => client(`/auth/verify-email?token=guess-${guess}`),
    "redeem a code": (guess) => client.send("POST", "/account/credit/codes", { code: `guess-${guess}` }),
    "delete an account": (guess) =>
      client.send("POST", "/account/delete", { password: `guess number ${guess}` }),
    "export an account": () => client("/account/export"),
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    service.clock.advance(60_000);
    const statuses: number[] = [];
    for (let guess = 0; guess < 3; guess += 1) statuses.push((await attempt(guess)).status);
    expect([what, ...statuses.map((status) => status === 429)]).toEqual([what, false, false, true]);
  }
});

test("an account's name and address have a maximum length", async () => {
  const service = await start();
  const tried = async (more: Record<string, string>) =>
    service
      .client()
      .send("POST", "/auth/sign-up/email", { email: newEmail(), password: PASSWORD, name: "x", ...more });
  expect((await tried({ name: "x".repeat(101) })).status).toBe(400);
  expect((await tried({ name: "x".repeat(900_000) })).status).toBe(413);
  expect((await tried({ email: `${"x".repeat(250)}@example.com` })).status).toBe(400);
  expect((await tried({ image: "x".repeat(5_000) })).status).toBe(200);
  const client = service.client();
  await signUp(client, newEmail(), "  Ada \u202E Lovelace ");
  expect((await (await client("/me")).json()).caller.name).toBe("Ada Lovelace");
});

/**
 * Checks that a token to choose a password expires after an hour. The clock of better-auth cannot be moved, so the test
 * moves the expiry in the database.
 */
async function expectAnHour(token: string, service: TestService): Promise<void> {
  const ofToken = eq(schema.verification.identifier, `reset-password:${token}`);
  const [row] = await database.database.select().from(schema.verification).where(ofToken);
  const minutes = ((row?.expiresAt.getTime() ?? 0) - Date.now()) / 60_000;
  expect(Math.ceil(minutes)).toBe(60);
  const expiresAt = new Date(Date.now() - 1);
  await database.database.update(schema.verification).set({ expiresAt }).where(ofToken);
  const chosen = { token, newPassword: "four quiet green kettles" };
  expect((await service.client().send("POST", "/auth/reset-password", chosen)).status).toBe(400);
}

/** Accounts have credit if answers have a price. */
const prices = { MODEL_PRICE_INPUT_PER_MTOK: "1", MODEL_PRICE_OUTPUT_PER_MTOK: "4" };

describe("an account's data", () => {
  test("can be exported in one file, which contains no data of other accounts", async () => {
    const service = await start({ env: prices });
    const email = newEmail();
    const client = service.client();
    await signUp(client, email);
    const operator = operatorServices(service);
    await carryOut({ action: "grant", email, amount: 777_000, by: "ada", reason: "our thanks" }, operator);
    for (const salary of ["£30,000", "£45,000"]) await client.ask(`take-home on ${salary}`);
    const other = service.client();
    const othersEmail = newEmail();
    await signUp(other, othersEmail);
    await other.ask("take-home on £99,999");
    const reason = "theirs alone";
    await carryOut({ action: "grant", email: othersEmail, amount: 999_000, by: "ada", reason }, operator);
    const response = await client("/account/export");
    expect(response.headers.get("Content-Disposition")).toMatch(
      /^attachment; filename="headgate-export\.json"$/,
    );
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    const text = await response.text();
    const exported = JSON.parse(text);
    expect(exported.account).toMatchObject({ email, name: "Ada" });
    expect(exported.sessions).toHaveLength(1);
    expect(exported.credit[0]).toMatchObject({ kind: "allowance", amount: 1_000_000 });
    expect(exported.conversations).toHaveLength(2);
    expect(exported.conversations[0].messages).toHaveLength(2);
    expect(exported.credit.filter(({ kind }: { kind: string }) => kind === "grant")).toMatchObject([
      { amount: 777_000 },
    ]);
    expect(exported.limits).toMatchObject([{ what: "grant", reason: "our thanks" }]);
    expect(text).not.toMatch(/99,999|999000|theirs alone|token"/);
  });

  test("is deleted with the account, which needs the password", async () => {
    const service = await start({ env: prices });
    const email = newEmail();
    const client = service.client();
    await signUp(client, email);
    const { id } = (await (await client("/me")).json()).caller;
    const operator = operatorServices(service);
    await carryOut({ action: "grant", email, amount: 5_000, by: "ada", reason: "our thanks" }, operator);
    await carryOut({ action: "reset-link", email, by: "ada" }, operator);
    const { conversationId } = await client.ask("take-home on £45,000");
    const written = [
      "account",
      "answer_parts",
      "conversations",
      "credit_accounts",
      "credit_entries",
      "limit_changes",
      "messages",
      "session",
      "turns",
      "user",
      "verification",
    ];
    expect(await tablesWith(id, email, conversationId)).toEqual(written);
    const { sharePath } = await (await client.send("POST", `/conversations/${conversationId}/share`)).json();
    const wrong = await client.send("POST", "/account/delete", { password: "something else entirely" });
    expect([wrong.status, (await wrong.json()).error]).toEqual([400, "invalid_password"]);
    expect(await kindOf(client)).toBe("account");
    expect((await client.send("POST", "/account/delete", { password: PASSWORD })).status).toBe(204);
    expect(await kindOf(client)).toBe("anonymous");
    // The log of operators' actions keeps the id.
    expect(await tablesWith(id)).toEqual(["limit_changes"]);
    expect(await tablesWith(email, conversationId)).toEqual([]);
    expect((await service.client()(sharePath.replace("/share/", "/shared/"))).status).toBe(404);
    expect(await kindOf(await signIn(service, email))).toBe("anonymous");
    // The address is free again, and a new account starts empty.
    await signUp(client, email);
    expect((await (await client("/conversations")).json()).conversations).toEqual([]);
  });
});

describe("access to accounts and answers", () => {
  test("with REQUIRE_ACCOUNT, only accounts get answers", async () => {
    const service = await start({ env: { REQUIRE_ACCOUNT: "on" } });
    for (const client of [service.client(), service.client({ "X-User-Id": "someone" })]) {
      const { response, problem } = await client.ask("take-home on £45,000");
      expect([response.status, problem.error]).toEqual([401, "account_required"]);
      const title = await client.send("POST", "/chat/title", { conversation_id: crypto.randomUUID() });
      expect(title.status).toBe(401);
      expect((await (await client("/me")).json()).quota[0].remaining).toBe(10_000);
    }
    const client = service.client();
    await signUp(client, newEmail());
    expect((await client.ask("take-home on £45,000")).response.status).toBe(200);
    expect((await (await client("/me")).json()).accounts).toEqual({
      required: true,
      signUp: true,
      mail: false,
    });
  });

  test("with SIGN_UP=closed, the operator creates accounts, with a link that works once", async () => {
    const service = await start({ env: { SIGN_UP: "closed" } });
    const email = newEmail();
    const client = service.client();
    const refused = await client.send("POST", "/auth/sign-up/email", {
      email,
      password: PASSWORD,
      name: "x",
    });
    expect([refused.status, (await refused.json()).code]).toEqual([403, "SIGN_UP_CLOSED"]);

    const services = operatorServices(service);
    const invited = await carryOut({ action: "invite", email, by: "ada (command)" }, services);
    expect(invited).toEqual({
      link: expect.stringMatching(/^http:\/\/localhost:3000\/reset-password#[\w-]{32}$/),
    });
    expect(await carryOut({ action: "invite", email, by: "ada (command)" }, services)).toBeUndefined();
    expect(
      await carryOut({ action: "reset-link", email: newEmail(), by: "ada (command)" }, services),
    ).toBeUndefined();
    const token = (invited as { link: string }).link.split("#")[1];
    const chosen = { token, newPassword: PASSWORD };
    expect((await client.send("POST", "/auth/reset-password", chosen)).status).toBe(200);
    expect((await client.send("POST", "/auth/reset-password", chosen)).status).toBe(400);
    expect(await kindOf(await signIn(service, email))).toBe("account");
    // No other route of better-auth can create an account either.
    const { routes } = service.app;
    for (const path of new Set(routes.filter(({ method }) => method === "POST").map(({ path }) => path))) {
      await client.send("POST", path, { email: "another@example.com", password: PASSWORD, name: "x" });
    }
    expect(await tablesWith("another@example.com")).toEqual([]);
  });

  test("a link to choose a password works for an hour", async () => {
    const service = await start();
    const email = newEmail();
    await signUp(service.client(), email);
    const order = { action: "reset-link", email, by: "ada (command)" } as const;
    const { link } = (await carryOut(order, operatorServices(service))) as { link: string };
    await expectAnHour(link.split("#")[1] ?? "", service);
  });

  test("without a mail server, its routes do not exist", async () => {
    const client = (await start()).client();
    for (const path of ["/auth/request-password-reset", "/auth/send-verification-email"]) {
      expect((await client.send("POST", path, { email: newEmail() })).status).toBe(404);
    }
    expect((await client("/auth/verify-email?token=x")).status).toBe(404);
  });
});

describe("with a mail server", () => {
  const linkIn = (text: string, path: string) =>
    new RegExp(`${PUBLIC_URL}(${path}\\S*)`).exec(text)?.[1] ?? `no ${path}`;

  test("an address is confirmed, and the allowance begins with it", async () => {
    const mail = await startMail();
    const lines: string[] = [];
    const log = pino({ level: "trace" }, { write: (line) => void lines.push(line) });
    const service = await start({
      env: { ...prices, MAIL_URL: mail.url, MAIL_FROM: "chat@example.com", PUBLIC_URL },
      log,
    });
    const email = newEmail();
    const client = service.client();
    await signUp(client, email);
    await vi.waitFor(() => expect(mail.mails).toHaveLength(1));
    const before = await (await client("/me")).json();
    expect([before.caller.emailVerified, before.credit.balance]).toEqual([false, 0]);
    expect((await client.ask("take-home on £45,000")).response.status).toBe(402);

    const [received] = mail.mails;
    expect(received?.to).toBe(email);
    const link = linkIn(received?.text ?? "", "/auth/verify-email");
    // The link does not sign in the person who opens it.
    const stranger = service.client();
    expect((await stranger(link)).status).toBe(302);
    expect(await kindOf(stranger)).toBe("anonymous");
    const after = await (await client("/me")).json();
    expect([after.caller.emailVerified, after.credit.balance]).toEqual([true, 1_000_000]);
    expect((await client.ask("take-home on £45,000")).response.status).toBe(200);
    // Confirming again adds nothing.
    await client(link);
    expect((await (await client("/me")).json()).credit.balance).toBeLessThan(1_000_000);
    const token = link.split("token=")[1]?.split("&")[0] ?? "none";
    expect(token.length).toBeGreaterThan(20);
    const { iat, exp } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(exp - iat).toBe(86_400);
    expect(lines.join("")).not.toContain(token);
    expect(lines.join("")).not.toContain(email);
  });

  test("a forgotten password is replaced, every session ends, and nobody can find out who has an account", async () => {
    const mail = await startMail();
    const service = await start({ env: { MAIL_URL: mail.url, MAIL_FROM: "chat@example.com", PUBLIC_URL } });
    const email = newEmail();
    const client = service.client();
    await signUp(client, email);
    await vi.waitFor(() => expect(mail.mails).toHaveLength(1));
    const forgotten = (address: string) =>
      service.client().send("POST", "/auth/request-password-reset", { email: address });
    const known = await forgotten(email);
    const unknown = await forgotten(newEmail());
    expect([known.status, await known.text()]).toEqual([unknown.status, await unknown.text()]);
    await vi.waitFor(() => expect(mail.mails).toHaveLength(2));
    const link = linkIn(mail.mails[1]?.text ?? "", "/reset-password");
    const token = link.split("#")[1];
    const newPassword = "four quiet green kettles";
    const reset = () => service.client().send("POST", "/auth/reset-password", { token, newPassword });
    expect([(await reset()).status, (await reset()).status]).toEqual([200, 400]);
    expect(await kindOf(client)).toBe("anonymous");
    expect(await kindOf(await signIn(service, email, newPassword))).toBe("account");
    expect((await forgotten(email)).status).toBe(200);
    await vi.waitFor(() => expect(mail.mails).toHaveLength(3));
    const another = linkIn(mail.mails[2]?.text ?? "", "/reset-password").split("#")[1] ?? "";
    await expectAnHour(another, service);
  });

  test("e-mails of both kinds to one mailbox are limited, whoever sends the requests, with or without an account", async () => {
    const mail = await startMail();
    const service = await start({ env: { MAIL_URL: mail.url, MAIL_FROM: "chat@example.com", PUBLIC_URL } });
    const email = newEmail();
    const statuses: number[] = [];
    for (let asked = 0; asked < 4; asked += 1) {
      const from = service.client({ "X-Forwarded-For": `198.51.100.${asked}` });
      const address = asked % 2 === 0 ? email : email.toUpperCase();
      const path = asked % 2 === 0 ? "/auth/request-password-reset" : "/auth/send-verification-email";
      statuses.push((await from.send("POST", path, { email: address })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    const other = await service.client().send("POST", "/auth/request-password-reset", { email });
    expect(other.status).toBe(429);
  });

  test("a refusal by the mail server is logged without recipient and text", async () => {
    const mail = await startMail();
    mail.refuse();
    const lines: string[] = [];
    const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
    const service = await start({
      env: { MAIL_URL: mail.url, MAIL_FROM: "chat@example.com", PUBLIC_URL },
      log,
    });
    const email = newEmail();
    await signUp(service.client(), email);
    const line = await vi.waitFor(() => {
      const found = lines.find((text) => text.includes("an e-mail was not sent"));
      expect(found).toBeDefined();
      return found ?? "";
    });
    expect(JSON.parse(line)).toMatchObject({ level: 50, error: { code: "EENVELOPE", responseCode: 550 } });
    expect(lines.join("")).not.toContain(email);
  });
});
