import { readFileSync } from "node:fs";
import pg from "pg";
import { startPostgres } from "./test-servers/postgres.ts";
import { postgresStore } from "headgate/postgres";
import { encode } from "./src/stores/postgres/encode.ts";
import { compileLimits } from "./src/core/limit-set.ts";
import { amountsOf } from "./src/core/cost.ts";
const server = await startPostgres();
try {
  const client = new pg.Client({ connectionString: server.url }); await client.connect();
  const store = postgresStore(client); await store.check();
  const pid = (await client.query("select pg_backend_pid() as p")).rows[0].p;
  const cpu = () => Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  const userW = compileLimits("user", process.env.USER_LIMITS ?? "5/minute; 60/hour"), ipW = compileLimits("ip", process.env.IP_LIMITS ?? "30/minute");
  const text = "SELECT headgate.apply_1($1::text::uuid[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[], $5::text::int[], $6::text::bigint)::text AS answer";
  async function run(name, size, n, keyOf, peek = false) {
    let k = 0; const costs = []; let c0 = cpu(); const every = Math.max(1, Math.floor(n / 15)); n = every * 15;
    for (let b = 0; b < n; b++) {
      if (b % every === 0 && b > 0) { const c = cpu(); costs.push((c - c0) / every); c0 = c; }
      const reqs = Array.from({ length: size }, () => { const i = k++; return { kind: peek ? "peek" : "admit", charges: [{ space: "user", key: "u" + keyOf(i), limits: userW, ...amountsOf(userW) }, { space: "ip", key: "i" + keyOf(i), limits: ipW, ...amountsOf(ipW) }] }; });
      await client.query({ name: "x", text, values: encode(reqs, Date.now(), null) });
    }
    costs.push((cpu() - c0) / every); costs.sort((a, b) => a - b); const c = costs[1] * n;
    console.log(name.padEnd(30), "batch", size, "server cpu µs/decision", (c * 1000 / (n * size)).toFixed(1), "µs/batch", (c*1000/n).toFixed(0));
  }
  await run("warm", 64, 20, (i) => i);
  await run("new callers, admitted", 64, 300, (i) => "n" + i);
  await run("again, admitted", 64, 300, (i) => "n" + i);
  await run("third, admitted", 64, 300, (i) => "n" + i);
  for (let i = 0; i < 5; i++) await run("one caller", 64, 1, (i) => "r" + (i % 1000));
  await run("refused", 64, 300, (i) => "one" + (i % 100));
  await run("peek", 64, 300, (i) => "n" + i, true);
  await run("single new", 1, 5000, (i) => "s" + i);
  await run("single again", 1, 5000, (i) => "s" + i);
  await run("single refused", 1, 5000, (i) => "one1");
  await run("empty", 0, 5000, (i) => "s" + i);
  console.log((await client.query("select pg_relation_size('headgate.partitions') s, count(*) n, avg(pg_column_size(p.*)) w from headgate.partitions p")).rows);
  await client.end();
} finally { await server.remove(); }
