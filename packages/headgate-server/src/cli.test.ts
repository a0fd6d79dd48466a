import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLimiter } from "headgate";
import { decisionLog, logFiles } from "headgate/log";
import { fakeClock } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./cli.ts";
import { readLog } from "./read-log.ts";
import { replay } from "./replay.ts";
import { summarize } from "./summary.ts";
import { trafficOf } from "./traffic.ts";

let folder: string;
let log: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "headgate-cli-"));
  log = path.join(folder, "log.jsonl");
  const clock = fakeClock(Date.UTC(2026, 10, 1, 9));
  const writer = logFiles(log);
  const decisions = decisionLog({ writer, secret: "a secret of sixteen" });
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
    units: ["tokens"],
    clock,
  });
  decisions.record(limiter);
  // Ten callers each send six requests a minute: the sixth is refused.
  for (let n = 0; n < 60; n += 1) {
    const admission = await limiter.admit(`u${n % 10}`, { cost: { tokens: 1000 } });
    if (admission.admitted) await admission.end({ tokens: 500 });
    clock.advance(500);
  }
  await decisions.close();
  write("stricter.json", { layers: [{ name: "user", limits: "4/minute" }] });
  write("looser.json", { layers: [{ name: "user", limits: "6/minute" }] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: unknown): void {
  writeFileSync(path.join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
}
const file = (name: string) => path.join(folder, name);
const policy = (name: string) => ["--policy", file(name)];

describe("replay", () => {
  it("reports that a replay matches its log", async () => {
    const { code, stdout, stderr } = await runCommand(["replay", log]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(
      "chat: 60 decisions of 10 callers, 2026-11-01 09:00:00Z to 2026-11-01 09:00:29Z, 1 process",
    );
    expect(stdout).toContain("Every decision matches the log.");
  });

  it("exits with 1 if a decision differs", async () => {
    const lines = readFileSync(log, "utf8").split("\n");
    const place = lines.findIndex((line) => line.includes('"admitted":false'));
    lines[place] = (lines[place] as string).replace(/"waitMs":\d+/, '"waitMs":7');
    write("changed.jsonl", lines.join("\n"));
    const { code, stdout } = await runCommand(["replay", file("changed.jsonl")]);
    expect([code, stdout.includes("1 decision differs from the log.")]).toEqual([1, true]);
  });

  it("shows what another policy would have done: callers, waits, units and money, and what it assumes", async () => {
    const price = ["--price", "tokens=2/1000", "--currency", "GBP"];
    const { code, stdout } = await runCommand(["replay", log, ...policy("stricter.json"), ...price]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/newly refused +10 +16\.7% +10 callers {2}5,000 tokens, £10/);
    expect(stdout).toMatch(/user-per-minute +20, 10 newly/);
    expect(stdout).toMatch(/Waits: \d+ s at the median, \d+ s at most/);
    expect(stdout).toMatch(/Whether newly refused callers would have retried/);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(
      "20 of 60 refused (33.3%), 10 of them newly, 10 callers, £10 unspent.",
    );
  });

  it("prints JSON, counts only a period, and lists the requested number of callers", async () => {
    const words = [
      "replay",
      log,
      ...policy("looser.json"),
      "--json",
      "--top",
      "3",
      "--from",
      "2026-11-01T09:00:10Z",
    ];
    const summary = JSON.parse((await runCommand(words)).stdout);
    expect(summary).toMatchObject({
      policy: "another",
      decisions: 40,
      replayed: { refused: { decisions: 0 } },
      newlyAdmitted: { decisions: 10, callers: 10, units: { requests: 10 } },
    });
    expect(summary.callersMost).toHaveLength(3);
    expect(summary.caveats[0]).toMatch(/What the 10 newly admitted requests would have used is not known/);
  });

  it("writes a page that loads nothing, with a table of the plot's figures", async () => {
    await runCommand(["replay", log, ...policy("stricter.json"), "--html", file("page.html")]);
    const page = readFileSync(file("page.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).not.toMatch(/<script|https?:|url\(|@import/);
    expect(page).toContain("prefers-color-scheme:dark");
    expect(page).toContain('name="viewport"');
    expect(page.match(/<svg .*role="img" aria-label="[^"]+"/)).not.toBeNull();
    // The plot and its table have the same figures.
    const bars = [...page.matchAll(/<title>[^<]*: (\d+) newly refused<\/title>/g)].map(([, n]) => Number(n));
    expect(bars.reduce((a, b) => a + b, 0)).toBe(10);
    const cells = [
      ...page.matchAll(/<tr><th scope="row">2026[^<]*<\/th>(?:<td>\d+<\/td>){2}<td>(\d+)<\/td>/g),
    ];
    expect(cells.map(([, n]) => Number(n)).reduce((a, b) => a + b, 0)).toBe(10);
  });
});

describe("a log of several limiters", () => {
  beforeAll(async () => {
    const decisions = decisionLog({ writer: logFiles(file("two.jsonl")), secret: "a secret of sixteen" });
    for (const name of ["chat", "sign-in"]) {
      const limiter = createLimiter<string>({
        name,
        layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
        clock: fakeClock(Date.UTC(2026, 10, 1, 9)),
      });
      decisions.record(limiter);
      await limiter.admit("ann");
    }
    await decisions.close();
  });

  it("is shown on one page", async () => {
    const { stdout } = await runCommand(["replay", file("two.jsonl"), "--html", file("two.html")]);
    expect(stdout).toContain("sign-in: 1 decision of 1 caller, ");
    const page = readFileSync(file("two.html"), "utf8");
    expect(page.match(/<!doctype|<html|<title>[^<]*: replay<|<\/html>/g)).toEqual([
      "<!doctype",
      "<html",
      "<title>chat, sign-in: replay<",
      "</html>",
    ]);
    expect(page.match(/<h1>[^<]*/g)).toEqual(["<h1>chat: the same policy", "<h1>sign-in: the same policy"]);
    expect(page).toContain("1 decision of 1 caller, ");
  });

  it("is replayed for the chosen limiter", async () => {
    const { lines } = await readLog([file("two.jsonl")], { limiter: "sign-in" });
    expect(new Set(lines.map((line) => "limiter" in line && line.limiter))).toEqual(new Set(["sign-in"]));
    await expect(readLog([file("two.jsonl")], { limiter: "mail" })).rejects.toThrow(
      /^"mail" has no decisions in this log: there is nothing to replay\.$/,
    );
  });

  it("with a limiter that decided nothing is reported as such, not as missing", async () => {
    const decisions = decisionLog({ writer: logFiles(file("idle.jsonl")), secret: "a secret of sixteen" });
    const clock = fakeClock(Date.UTC(2026, 10, 1, 9));
    for (const name of ["chat", "idle"]) {
      const layers = [{ name: "user", key: (user: string) => user, limits: "5/minute" }];
      const limiter = createLimiter<string>({ name, layers, clock });
      decisions.record(limiter);
      if (name === "chat") await limiter.admit("ann");
    }
    await decisions.close();
    const idle = await runCommand(["replay", file("idle.jsonl"), "--limiter", "idle"]);
    expect([idle.code, idle.stderr]).toEqual([
      2,
      'headgate-server: "idle" has no decisions in this log: there is nothing to replay.\n',
    ]);
    expect((await runCommand(["replay", file("idle.jsonl")])).code).toBe(0);
  });
});

it("replays only the newest lines of a long log, and says so", async () => {
  const content = await readLog([log], { newest: 30 });
  expect(content.lines.slice(0, 2).map(({ type }) => type)).toEqual(["begin", "policy"]);
  expect(content.lines.filter(({ type }) => type !== "begin" && type !== "policy")).toHaveLength(30);
  expect(content.passedOver).toBe(60 + 50 - 30);
  const traffic = trafficOf(content.lines, "chat", false);
  const outcome = replay(traffic, { layers: [{ name: "user", limits: "1/minute" }] });
  const { decisions, from, to, caveats } = summarize(traffic, content, outcome, true);
  expect([decisions, from, to]).toEqual([
    20,
    Date.UTC(2026, 10, 1, 9, 0, 20),
    Date.UTC(2026, 10, 1, 9, 0, 29, 500),
  ]);
  expect(caveats.join()).toContain("80 older lines were left out");
});

describe("plan", () => {
  it.each([
    [["--max-refused", "40%"], 0, ""],
    [["--max-refused", "20"], 0, ""],
    [["--max-refused", "33%"], 1, "Refused: 33.3%; the maximum is 33%.\n"],
    [["--max-newly-refused", "9"], 1, "Newly refused: 10; the maximum is 9.\n"],
    [["--max-callers", "50%"], 1, "Callers newly refused: 100.0%; the maximum is 50%.\n"],
    [
      ["--max-unspent", "4", "--price", "tokens=0.002", "--currency", "GBP"],
      1,
      "Unspent: £10; the maximum is £4.00.\n",
    ],
  ])("with %j, plan exits with %d", async (words, code, stderr) => {
    const result = await runCommand(["plan", log, ...policy("stricter.json"), ...words]);
    expect([result.code, result.stderr]).toEqual([code, stderr]);
    expect(result.stdout).toContain("20 of 60 refused (33.3%)");
  });
});

describe("invalid input", () => {
  it.each<[string[], RegExp]>([
    [[], /The command is missing: write replay, plan/],
    [["reply"], /"reply" is not a command/],
    [["replay"], /replay needs a log/],
    [["replay", "missing.jsonl"], /There is no file or folder missing\.jsonl/],
    [["replay", "LOG", "--polcy", "x"], /--polcy/],
    [["replay", "LOG", "--policy", "missing.json"], /Cannot read the file missing\.json/],
    [["replay", "LOG", "--policy", "FOLDER/broken.json"], /broken\.json is not JSON/],
    [["replay", "LOG", "--policy", "FOLDER/wrong.json"], /wrong\.json: .*fortnight/],
    [
      ["replay", "LOG", "--policy", "FOLDER/org.json"],
      /Layer "org" .* needs the key "org", .* only for "user"/,
    ],
    [["replay", "LOG", "--limiter", "chats"], /no limiter "chats": it has chat/],
    [["replay", "LOG", "--from", "yesterday"], /--from must be a time such as .*"yesterday"/],
    [["replay", "LOG", "--from", "2030-01-01"], /No decision of "chat" is between/],
    [["replay", "LOG", "--price", "tokens"], /--price must be such as .*"tokens"/],
    [["replay", "LOG", "--price", "token=2"], /--price names token, and no cost .* has .*tokens/],
    [["replay", "LOG", "--max-refused", "1%"], /Thresholds are for plan/],
    [["plan", "LOG", "--max-refused", "1%"], /plan needs --policy/],
    [["plan", "LOG", "--policy", "FOLDER/stricter.json"], /plan needs a threshold/],
    [
      ["plan", "LOG", "--policy", "FOLDER/stricter.json", "--max-refused", "some"],
      /--max-refused must be a number such as 300.*"some"/,
    ],
    [
      ["plan", "LOG", "--policy", "FOLDER/stricter.json", "--max-unspent", "3"],
      /--max-unspent needs a price/,
    ],
    [["replay", "FOLDER/future.jsonl"], /future\.jsonl has lines of version 2; this release reads version 1/],
    [["replay", "FOLDER/empty.jsonl"], /: This log contains no decisions: there is nothing to replay\.\n$/],
    [["replay", "FOLDER/nothing"], /There is no \.jsonl file in .*nothing\.\n$/],
  ])("%j exits with 2 and explains the mistake", async (words, message) => {
    write("broken.json", "{");
    write("wrong.json", { layers: [{ name: "user", limits: "5 per fortnight" }] });
    write("org.json", { layers: [{ name: "org", limits: "5/minute" }] });
    write("future.jsonl", '{"v":2,"n":1,"type":"decision"}\n');
    write("empty.jsonl", "");
    mkdirSync(file("nothing"), { recursive: true });
    const given = words.map((word) => word.replace("LOG", log).replace("FOLDER", folder));
    const { code, stdout, stderr } = await runCommand(given);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n +at /);
  });

  it.each([
    { type: "decision", partitions: [null], admitted: true, id: 9, policy: "p" },
    { type: "decision", partitions: [], admitted: true, id: 9, policy: "p", cost: { tokens: "x" } },
    { type: "settled", decision: 1, used: { tokens: 1.5 }, ended: true },
    { type: "policy", hash: "p" },
    { type: "reset", partitions: [{ layer: "user" }] },
  ])("that is one line of a log is counted, and the command continues: %j", async (line) => {
    const damaged = path.join(folder, "damaged.jsonl");
    const one = { v: 1, n: 9999, process: "p", limiter: "chat", at: 1, ...line };
    writeFileSync(damaged, `${readFileSync(log, "utf8")}${JSON.stringify(one)}\n`);
    const { code, stdout } = await runCommand(["replay", damaged]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("1 cannot be read")]);
  });

  it("that is a truncated line of a log is counted, and the command continues", async () => {
    write("cut.jsonl", `${readFileSync(log, "utf8")}{"v":1,"n":99,"type":"deci`);
    const { code, stdout } = await runCommand(["replay", file("cut.jsonl")]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("1 cannot be read")]);
  });
});

it("prints its help and its schema", async () => {
  expect((await runCommand(["--help"])).stdout).toContain("--max-newly-refused");
  expect(JSON.parse((await runCommand(["schema"])).stdout)).toMatchObject({ title: "A Headgate policy" });
});
