import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { Limiter } from "headgate";
import { decisionLog, logFiles } from "headgate/log";
import { observe } from "headgate/otel";
import { createCollector } from "headgate-console";
import type { Caller } from "../traffic.ts";
import type { Part } from "./task.ts";

/** The tools that an operator uses with a limiter. */
export interface Running {
  /** Waits until all decisions so far are written. */
  flush(): Promise<void>;
  /** Lines of the decision log that were lost, because they could not be written in time. */
  lostLines(): number;
  close(): Promise<void>;
}

/** Adds these tools to a limiter, like the chat service. */
export async function putNextTo(limiter: Limiter<Caller>, on: readonly Part[]): Promise<Running> {
  const closers: (() => unknown)[] = [];
  let flush = async () => {};
  let lostLines = () => 0;
  if (on.includes("metrics")) {
    const provider = new MeterProvider({ readers: [new PrometheusExporter({ preventServerStart: true })] });
    closers.push(observe(limiter, { meter: provider.getMeter("headgate") }), () => provider.shutdown());
  }
  if (on.includes("log")) {
    const folder = await mkdtemp(path.join(tmpdir(), "headgate-bench-log-"));
    const log = decisionLog({ writer: logFiles(folder, { maxFiles: 3 }), onError() {} });
    log.record(limiter);
    flush = () => log.flush();
    lostLines = () => log.status().lost;
    closers.push(
      () => log.close(),
      () => rmSync(folder, { recursive: true, force: true }),
    );
  }
  if (on.includes("shadow")) {
    limiter.setShadow([
      { name: "user", limits: "3/minute; 40/hour" },
      { name: "ip", limits: "30/minute" },
    ]);
  }
  if (on.includes("console")) createCollector([limiter]);
  return {
    flush: () => flush(),
    lostLines: () => lostLines(),
    async close() {
      for (const close of closers) await close();
      await limiter.close();
    },
  };
}
