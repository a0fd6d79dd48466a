import { describe, expect, it } from "vitest";
import { inDoubt } from "../shared/in-doubt.ts";
import { mayHaveBeenApplied } from "./doubt.ts";

describe("mayHaveBeenApplied", () => {
  it.each([
    [{ code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:1" }, false],
    [{ code: "ENOTFOUND", message: "getaddrinfo ENOTFOUND db" }, false],
    [{ code: "CONNECT_TIMEOUT", message: "write CONNECT_TIMEOUT db:5432" }, false],
    [{ message: "timeout exceeded when trying to connect" }, false],
    [{ message: "Client has encountered a connection error and is not queryable" }, false],
    [{ message: "Cannot use a pool after calling end on the pool" }, false],
    [{ code: "40001", severity: "ERROR", message: "could not serialize access" }, false],
    [{ code: "57P03", severity: "FATAL", message: "the database system is starting up" }, false],
    [{ code: "53300", severity: "FATAL", message: "too many clients already" }, false],
    [{ code: "57P01", severity: "FATAL", message: "terminating connection" }, true],
    [{ code: "ECONNRESET", message: "read ECONNRESET" }, true],
    [{ code: "EPIPE", message: "write EPIPE" }, true],
    [{ code: "CONNECTION_CLOSED", message: "write CONNECTION_CLOSED" }, true],
    [{ message: "Connection terminated unexpectedly" }, true],
    [{ message: "Query read timeout" }, true],
    [undefined, true],
  ])("%j: %s", (error, wanted) => {
    expect(mayHaveBeenApplied(error)).toBe(wanted);
  });
});

describe("inDoubt", () => {
  it("marks the error itself, and wraps any other value in an error", () => {
    const error = new Error("gone");
    expect(inDoubt(error)).toBe(error);
    expect(error).toMatchObject({ inDoubt: true });
    expect(inDoubt("gone")).toMatchObject({ inDoubt: true, message: "The store failed: gone" });
  });
});
