import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { Limiter } from "headgate";
import { observe } from "headgate/otel";
import type { ModelChoice } from "../model/provider.ts";
import type { Usage } from "../usage.ts";

/** An answer that has ended. */
export interface AnswerRecord {
  /** The model that answered. */
  choice: Pick<ModelChoice, "name" | "model">;
  usage: Usage;
  durationMs: number;
  /** `whole`, or why the answer is incomplete. */
  outcome: string;
}

/** The service's metrics. */
export interface Metrics {
  observe(limiter: Pick<Limiter<never>, "name" | "observe" | "status">): void;
  answered(record: AnswerRecord): void;
  /** Returns all metrics, in the text format of Prometheus. */
  text(): Promise<string>;
  close(): Promise<void>;
}

/** OpenTelemetry's names for generative AI. They are experimental, so they appear only in this file. */
const TOKEN_USAGE = "gen_ai.client.token.usage";
const OPERATION_DURATION = "gen_ai.client.operation.duration";
const TOKEN_BUCKETS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];
const DURATION_BUCKETS = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8];

export function createMetrics(): Metrics {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const meter = provider.getMeter("headgate");
  const tokens = meter.createHistogram(TOKEN_USAGE, {
    description: "Tokens that answers used.",
    unit: "{token}",
    advice: { explicitBucketBoundaries: TOKEN_BUCKETS },
  });
  const durations = meter.createHistogram(OPERATION_DURATION, {
    description: "How long answers took, from the question to their end.",
    unit: "s",
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  });
  const attributesOf = ({ name, model }: AnswerRecord["choice"]) => ({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": model.provider.split(".")[0] ?? name,
    "gen_ai.request.model": name,
  });
  const stops: (() => void)[] = [];

  return {
    observe(limiter) {
      stops.push(observe(limiter, { meter }));
    },

    answered({ choice, usage, durationMs, outcome }) {
      const attributes = attributesOf(choice);
      const { inputTokens, outputTokens } = usage;
      if (inputTokens > 0) tokens.record(inputTokens, { ...attributes, "gen_ai.token.type": "input" });
      if (outputTokens > 0) tokens.record(outputTokens, { ...attributes, "gen_ai.token.type": "output" });
      durations.record(durationMs / 1_000, {
        ...attributes,
        ...(outcome === "failed" ? { "error.type": "_OTHER" } : {}),
      });
    },

    async text() {
      const { resourceMetrics } = await reader.collect();
      return serializer.serialize(resourceMetrics);
    },

    async close() {
      for (const stop of stops) stop();
      await provider.shutdown();
    },
  };
}
