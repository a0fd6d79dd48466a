export type { Bindable, NodeResponse, PartOf } from "./bind.ts";
export { createEstimator, type Estimator, estimateTokens } from "./estimate/estimator.ts";
export type { LanguageModelV4 } from "./language-model.ts";
export { type LimitedToolOptions, limitedTool, type ToolRefusal } from "./limited-tool.ts";
export { type Meter, type MeterOptions, meter } from "./meter.ts";
export type { MeterEnd, MeterEndReason } from "./meter-end.ts";
export type { LimitNews, MeterNews } from "./news.ts";
export { anthropicMessages, openaiChat, openaiResponses, type StreamReader } from "./readers.ts";
export type { ReportedUse, TokenUse, TokenWeights } from "./usage.ts";
