/** Calls `go` with the value: synchronously, or once the value resolves if it is a promise. */
export function after<Value, Result>(
  value: Value | Promise<Value>,
  go: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(go) : go(value);
}
