/** One measurement, in a process of its own. */
export interface Task {
  readonly do: "hold" | "expire";
  readonly contender: string;
  readonly callers: number;
  /** Of all limits of those who read the machine's clock. */
  readonly windowMs: number;
}
