/** One measurement, in a separate process. */
export interface Task {
  readonly do: "hold" | "expire";
  readonly contender: string;
  readonly callers: number;
  /** The window of all limits, for contenders that read the machine's clock. */
  readonly windowMs: number;
}
