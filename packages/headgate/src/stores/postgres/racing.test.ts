import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { admit, charge, postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { describe, expect, it } from "vitest";
import type { PostgresStore } from "./index.ts";

const raceMs = 120_000;

const postgres = postgresFixture();
const { open, keepPool } = postgres;

describe("postgresStore, with competing processes", () => {
  it.each([
    ["5/hour", 5, 200],
    ["1000/hour", 1000, 300],
    ["1200/hour", 1200, 300],
    ["500/hour token-bucket; 400 concurrent/hour", 400, 200],
    ["500 tokens/day; 5000/hour", 500, 200],
  ])(
    "eight processes share %s: exactly %i are admitted",
    async (limits, quota, attempts) => {
      await postgres.pool.query("DROP SCHEMA IF EXISTS headgate CASCADE");
      const racers = Array.from({ length: 8 }, () => startRacer(postgres.url, limits, attempts));
      await Promise.all(racers.map(({ said }) => said("ready")));
      for (const { process: child } of racers) child.stdin?.write("go\n");
      const admitted = await Promise.all(racers.map(({ said }) => said(/^\d+$/m)));
      // A bucket drains while they race: before its quota of 500 an hour is reached, 400 places are taken.
      expect(admitted.reduce((sum, text) => sum + Number(text), 0)).toBe(quota);
    },
    raceMs,
  );

  it(
    "causes no deadlock, for any order of the layers",
    async () => {
      const stores = [open(keepPool()), open(keepPool()), open(keepPool())];
      const all = Array.from({ length: 12 }, (_, n) => charge(`caller${n}`, "100000/hour", `layer${n % 3}`));
      const random = () => all.filter(() => Math.random() < 0.4).sort(() => Math.random() - 0.5);
      const rounds = Array.from({ length: 40 }, () => random());
      const decisions = await Promise.all(
        stores.map(async (store, n) => {
          let spent = 0;
          for (const charges of n % 2 === 0 ? rounds : rounds.toReversed()) {
            const outcomes = await Promise.all(
              Array.from({ length: 6 }, () => store.decide(charges.toReversed(), 0, false)),
            );
            spent += outcomes.filter(({ admitted }) => admitted).length * charges.length;
          }
          return spent;
        }),
      );
      const readings = await Promise.all(
        all.map((one) => (stores[0] as PostgresStore).decide([one], 0, true)),
      );
      const spent = readings.reduce((sum, one) => sum + 100_000 - (one.readings[0]?.[0]?.remaining ?? 0), 0);
      expect(spent).toBe(decisions.reduce((sum, one) => sum + one, 0));
      const { rows: found } = await postgres.pool.query(
        "SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()",
      );
      expect(found[0].n).toBe(0);
    },
    raceMs,
  );

  it.each(["repeatable read", "serializable"])(
    "is exact under %s too",
    async (level) => {
      const options = `-c default_transaction_isolation=${level.replace(" ", "\\ ")}`;
      const stores = Array.from({ length: 3 }, () => open(keepPool({ options })));
      const admits = await Promise.all(
        stores.flatMap((store) =>
          Array.from({ length: 60 }, async (_, n) => {
            for (let turn = 0; turn < n % 5; turn += 1) await store.decide([charge("peeked")], 0, true);
            return admit(store, charge("a", "30/hour"), charge("b", "1000/hour", "ip"));
          }),
        ),
      );
      expect(admits.filter(Boolean)).toHaveLength(30);
      const tokens = charge("a", "30 tokens/day", "org", { tokens: 1 });
      const holds = await Promise.all(
        stores.flatMap((store, s) =>
          Array.from({ length: 40 }, async (_, n) => {
            for (let turn = 0; turn < n % 5; turn += 1) await store.decide([charge("peeked")], 0, true);
            const hold = { rid: (100 * s + n).toString(16).padStart(24, "0"), seq: 1 };
            return (await store.decide([tokens], 0, false, hold)).admitted;
          }),
        ),
      );
      expect(holds.filter(Boolean)).toHaveLength(30);
    },
    raceMs,
  );
});

interface Racer {
  readonly process: ChildProcess;
  /** Resolves with the output of the process once it matches. */
  said(wanted: string | RegExp): Promise<string>;
}

function startRacer(url: string, limits: string, attempts: number): Racer {
  const script = fileURLToPath(new URL("../../../../test-servers/postgres-racer.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--conditions=headgate-source", "--no-warnings", script, url, limits, String(attempts)],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  let output = "";
  let errors = "";
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk) => {
    output += chunk;
    for (const look of waiting) look();
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return {
    process: child,
    said: (wanted) =>
      new Promise((resolve, reject) => {
        function look(): void {
          const found = output.match(wanted)?.[0];
          if (found !== undefined) resolve(found);
        }
        waiting.add(look);
        child.once("exit", (code) => {
          look();
          reject(new Error(`A racer ended with ${code}: ${errors}`));
        });
        look();
      }),
  };
}
