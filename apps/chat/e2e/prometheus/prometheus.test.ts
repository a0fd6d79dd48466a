import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "@headgate/test-servers/free-port.ts";
import { expect, test } from "vitest";
import { startOpenAiServer } from "../../testing/openai-server.ts";
import { startTestService, until } from "../../testing/service.ts";

const execute = promisify(execFile);
const deploy = fileURLToPath(new URL("../../../../deploy/", import.meta.url));

test("every alert of the rules passes its unit tests", async () => {
  const { stdout } = await execute("promtool", ["test", "rules", "prometheus-alerts.test.yaml"], {
    cwd: deploy,
  });
  expect(stdout).toContain("SUCCESS");
  const rules = readFileSync(path.join(deploy, "prometheus-alerts.yaml"), "utf8");
  const tests = readFileSync(path.join(deploy, "prometheus-alerts.test.yaml"), "utf8");
  const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name);
  expect(alerts.length).toBeGreaterThan(5);
  for (const alert of alerts) expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`));
});

test("every panel of the dashboard has values from the service", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "headgate-prometheus-"));
  const [metricsPort, port] = [await freePort(), await freePort()];
  const model = await startOpenAiServer({ text: "one two three four five" });
  const service = await startTestService({
    env: {
      METRICS_PORT: String(metricsPort),
      LLM_BASE_URL: model.url,
      LLM_MODEL: "test-model",
      RATE_LIMIT_CHAT_PER_MIN: "2",
      RATE_LIMIT_CHAT_IP_PER_MIN: "10000",
      RATE_LIMIT_BODIES_IP_PER_MIN: "10000",
      RATE_LIMIT_CHAT_TOKENS_PER_DAY: "1000000",
    },
    clock: { now: Date.now },
  });
  const config = path.join(folder, "prometheus.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [path.join(deploy, "prometheus-alerts.yaml")],
      scrape_configs: [{ job_name: "chat", static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] }],
    }),
  );
  const prometheus = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: "ignore" },
  );
  const ended = once(prometheus, "exit");
  try {
    let people = 0;
    /** Sends a request that is admitted and a request that is refused, because a rate needs continuous traffic. */
    const ask = async (): Promise<void> => {
      people += 1;
      await service.client({ "X-User-Id": `u-${people}` }).ask("hello");
      await service.client({ "X-User-Id": "the-same" }).ask("hello");
    };
    const query = async (expression: string): Promise<{ value: [number, string] }[]> => {
      const url = new URL("/api/v1/query", `http://127.0.0.1:${port}`);
      url.searchParams.set("query", expression);
      const { status, data, error } = await (await fetch(url)).json();
      if (status !== "success") throw new Error(`${expression}: ${error}`);
      return data.result;
    };
    await until(() =>
      fetch(`http://127.0.0.1:${port}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    const dashboard: Dashboard = JSON.parse(
      readFileSync(path.join(deploy, "grafana-dashboard.json"), "utf8"),
    );
    const expressions = dashboard.panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({
        title,
        expr: expr.replaceAll("$__rate_interval", "30s").replaceAll("$limiter", ".*"),
      })),
    );
    expect(expressions.length).toBeGreaterThan(12);

    async function emptyOnes(): Promise<string[]> {
      const empty: string[] = [];
      for (const { title, expr } of expressions) {
        const found = await query(expr);
        if (!found.some(({ value }) => Number.isFinite(Number(value[1])))) empty.push(title);
      }
      return empty;
    }
    let empty: string[] = [];
    for (let n = 0; n < 100; n += 1) {
      await ask();
      if (n % 5 === 4) {
        empty = await emptyOnes();
        if (empty.length === 0) break;
      }
      // Prometheus scrapes once a second.
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(empty).toEqual([]);
    const [refused] = await query('sum(headgate_decisions_total{headgate_outcome="refused"})');
    expect(Number(refused?.value[1])).toBeGreaterThan(0);
    const healthOfRules = async () => {
      const rules = await (await fetch(`http://127.0.0.1:${port}/api/v1/rules`)).json();
      const health = rules.data.groups.flatMap(({ rules: of }: { rules: { health: string }[] }) =>
        of.map((rule) => rule.health),
      );
      return [...new Set(health)];
    };
    // A rule is "unknown" until Prometheus has evaluated it for the first time.
    await expect.poll(healthOfRules, { timeout: 60_000, interval: 500 }).not.toContain("unknown");
    expect(await healthOfRules()).toEqual(["ok"]);
  } finally {
    prometheus.kill("SIGTERM");
    await ended;
    await service.close();
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}
