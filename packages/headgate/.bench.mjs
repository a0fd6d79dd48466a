import { createRequire } from "node:module";
import { startPostgres } from "./test-servers/postgres.ts";
import { postgresStore } from "headgate/postgres";
import { compileLimits } from "./src/core/limit-set.ts";
import { amountsOf } from "./src/core/cost.ts";
const require = createRequire("/tmp/hgbench/");
const pg = require("pg");
const { RateLimiterPostgres } = require("rate-limiter-flexible");
const server = await startPostgres(process.env.SETTINGS ? process.env.SETTINGS.split(";") : ["fsync=on","full_page_writes=on"]);
const inFlight = Number(process.env.IN ?? 64);
const ms = Number(process.env.MS ?? 4000);
async function load(name, one) {
  let n = 0, stop = false;
  const lat = [];
  const until = performance.now() + 1000;
  async function worker(i) { let k = i; while (!stop) { const t = performance.now(); await one(k++); lat.push(performance.now() - t); n++; } }
  const ws = Array.from({ length: inFlight }, (_, i) => worker(i * 7919));
  await new Promise(r => setTimeout(r, 1500)); n = 0; lat.length = 0; const t0 = performance.now(); const c0=process.cpuUsage();
  await new Promise(r => setTimeout(r, ms)); const count = n, dt = performance.now() - t0; const c=process.cpuUsage(c0);
  stop = true; await Promise.all(ws);
  lat.sort((a,b)=>a-b);
  console.log(name, Math.round(count / dt * 1000), "decisions/s", "p50", lat[lat.length>>1].toFixed(2), "ms", "client cpu µs/decision", ((c.user+c.system)/count).toFixed(1));
  return count/dt*1000;
}
const user = compileLimits("user", "5000/minute token-bucket; 60000/hour token-bucket"), ip = compileLimits("ip", "3000000/minute");
const userW = compileLimits("user", process.env.USER_LIMITS ?? "5/minute; 60/hour"), ipW = compileLimits("ip", process.env.IP_LIMITS ?? "30/minute");
const keys = Number(process.env.KEYS ?? 100000);
let r1, r2;
try {
  if (process.env.ONLY !== "hg") {
    const pool = new pg.Pool({ connectionString: server.url, max: Number(process.env.POOL ?? 10) });
    const make = (prefix, points, duration) => new Promise((res, rej) => { const l = new RateLimiterPostgres({ storeClient: pool, keyPrefix: prefix, points, duration, tableName: "rlf" }, e => e ? rej(e) : res(l)); });
    const ls = [await make("um", 5, 60), await make("uh", 60, 3600), await make("ip", 30, 60)];
    r1 = await load("rlf", async (k) => { const u = "user" + (k % keys), i = "ip" + (k % (keys / 4)); await Promise.allSettled([ls[0].consume(u), ls[1].consume(u), ls[2].consume(i)]); });
    await pool.end();
  }
  const pool = new pg.Pool({ connectionString: server.url });
  const store = process.env.OWN ? postgresStore(server.url) : postgresStore(pool, { unlogged: !!process.env.UNLOGGED });
  let adm = 0, ref = 0;
  r2 = await load("headgate", async (k) => {
    const u = "user" + (k % keys), i = "ip" + (k % (keys / 4));
    const o = await store.decide([{ space: "user", key: u, limits: userW, ...amountsOf(userW) }, { space: "ip", key: i, limits: ipW, ...amountsOf(ipW) }], 0, false);
    o.admitted ? adm++ : ref++;
  });
  console.log({ adm, ref, ratio: r2 / r1 });
  if (process.env.STAT) console.log((await pool.query("select * from pg_stat_user_tables where relname='partitions'")).rows[0]);
  await store.close(); await pool.end();
} finally { await server.remove(); }
