import type { Country } from "../../../contract.ts";
import type { SalaryToolName } from "../tools.ts";
import type { PayPeriod } from "./amounts.ts";
import type { SmallTalk, Topic } from "./topics.ts";

export interface ToolRequest {
  tool: SalaryToolName;
  input: Record<string, unknown>;
}

/** A sum that was given by the month, week … and what it is a year. */
export interface Conversion {
  value: number;
  period: Exclude<PayPeriod, "year">;
  /** Hours or days a week, where pay is by the hour or day. */
  perWeek: number | undefined;
  yearly: number;
}

/** A question that a tool answers, and what the wording of the answer needs to know beside. */
export interface Sum {
  kind: "sum";
  request: ToolRequest;
  topic: Topic;
  shownBy: "month" | "week" | undefined;
  conversions: Conversion[];
  /** The tax year under way, when its rates are not known and the answer uses the latest that are. */
  unknownCurrentYear: string | undefined;
  /** "£2,500" alone may have been meant by the month. */
  smallForAYear: boolean;
}

/** Everything else: talk, questions back, and refusals that say what is supported. */
export type Remark =
  | { kind: "small-talk"; talk: SmallTalk }
  | { kind: "outside"; subject: string }
  | { kind: "unknown-year"; taxYear: string; country: Country }
  | { kind: "unknown-plan"; plan: string }
  | { kind: "which-plan" }
  | { kind: "which-salary"; topic: Topic | undefined }
  | { kind: "which-period"; value: number }
  | { kind: "which-hours"; value: number; period: "hour" | "day" }
  | { kind: "which-second-salary"; salary: number }
  | { kind: "which-range" }
  | { kind: "not-pounds" }
  | { kind: "negative" }
  | { kind: "too-large" }
  | { kind: "too-many"; count: number }
  | { kind: "too-many-rows"; rows: number; step: number }
  | { kind: "same-rates" }
  | { kind: "not-understood" };

export type Understanding = Sum | Remark;
