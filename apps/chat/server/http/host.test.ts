import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestService } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

let database: OpenDatabase;
const started: TestService[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterAll(async () => {
  for (const service of started) await service.close();
  await database.close();
});

async function start(env: Record<string, string>): Promise<TestService> {
  const service = await startTestService({ database, env });
  started.push(service);
  return service;
}

test("without PUBLIC_URL the service answers only under IP addresses and names of this machine", async () => {
  const { app } = await start({});
  const status = async (host: string) => (await app.request(`http://${host}/me`)).status;
  for (const own of [
    "localhost",
    "localhost:3000",
    "chat.localhost",
    "127.0.0.1:3000",
    "[::1]:3000",
    "192.168.1.7",
    "LOCALHOST",
    "localhost.",
  ]) {
    expect([own, await status(own)]).toEqual([own, 200]);
  }
  for (const foreign of [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "my-localhost",
    "chat.example.com:3000",
  ]) {
    expect([foreign, await status(foreign)]).toEqual([foreign, 421]);
  }
  const refused = await app.request("http://evil.example/conversations", { method: "POST" });
  expect(await refused.json()).toMatchObject({
    error: "misdirected",
    detail: expect.stringContaining("PUBLIC_URL"),
  });
});

test("with PUBLIC_URL a proxy may use any host name", async () => {
  const proxied = await start({ PUBLIC_URL: "https://chat.example.com" });
  expect((await proxied.app.request("http://upstream-7/version")).status).toBe(200);
});

test("a request with two Host fields is a 400, also with PUBLIC_URL and whichever comes first", async () => {
  for (const env of [{}, { PUBLIC_URL: "https://chat.example.com" }]) {
    const { url } = await start(env);
    const status = (hosts: string[]) =>
      new Promise((resolve, reject) => {
        const headers = hosts.flatMap((host) => ["Host", host]);
        const sent = request(`${url}/version`, { headers, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.once("error", reject).end();
      });
    expect(await status(["localhost"])).toBe(200);
    expect(await status(["localhost", "evil.example"])).toBe(400);
    expect(await status(["evil.example", "localhost"])).toBe(400);
    expect(await status(["localhost", "localhost"])).toBe(400);
  }
});
