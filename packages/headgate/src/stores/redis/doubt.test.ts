import { describe, expect, it } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Outcome } from "../../core/store.ts";
import { inDoubt } from "../shared/in-doubt.ts";
import { mayHaveBeenApplied } from "./doubt.ts";
import { adjustAcross } from "./slots.ts";

describe("mayHaveBeenApplied", () => {
  it.each([
    // Answers of the server: ioredis and iovalkey, node-redis, valkey-glide.
    [{ name: "ReplyError", message: "WRONGPASS invalid username-password pair" }, false],
    [{ message: "OOM command not allowed when used memory > 'maxmemory'." }, false],
    [{ message: "OOM: command not allowed when used memory > 'maxmemory'." }, false],
    [{ message: "MISCONF Errors writing to the AOF file: No space left on device" }, false],
    [
      {
        message:
          "An error was signalled by the server: - ReadOnly: You can't write against a read only replica.",
      },
      false,
    ],
    // Never sent.
    [{ message: "Stream isn't writeable and enableOfflineQueue options is false" }, false],
    [{ message: "connect ECONNREFUSED 127.0.0.1:1" }, false],
    [{ message: "connect ETIMEDOUT" }, false],
    [{ message: "getaddrinfo ENOTFOUND redis" }, false],
    [{ message: "The client is closed" }, false],
    [{ message: "The client is offline" }, false],
    [{ message: "All the root nodes are unavailable" }, false],
    [{ message: "None of startup nodes is available" }, false],
    // Sent, with an unknown result.
    [{ message: "Connection is closed." }, true],
    [{ message: "Command aborted due to connection close" }, true],
    [{ message: "Reached the max retries per request limit (which is 0)." }, true],
    [{ message: "Command timed out" }, true],
    [{ message: "Socket closed unexpectedly" }, true],
    [{ message: "read ECONNRESET" }, true],
    [{ message: "write EPIPE" }, true],
    [{ name: "TimeoutError", message: "timed out" }, true],
    [undefined, true],
    ["gone", true],
  ])("%j: %s", (error, wanted) => {
    expect(mayHaveBeenApplied(error)).toBe(wanted);
  });
});

describe("adjustments of partitions in several slots", () => {
  const limits = compileLimits("user", "5/hour");
  const { spends } = amountsOf(limits, undefined);
  const adjustment = (storedKey: string) => ({
    space: "user",
    key: storedKey,
    storedKey,
    limits,
    rid: "0".repeat(24),
    seq: 1,
    ended: false,
    raises: false,
    known: spends,
    used: spends,
    held: [],
    refunds: [],
  });
  const outcome: Outcome = { admitted: true, now: 1, readings: [[]], marks: [[0]] };
  /** Rejects the nth call with the nth fault, if there is one. */
  async function fault(...faults: (Error | undefined)[]): Promise<unknown> {
    const left = [...faults];
    const parts = faults.map((_, n) => adjustment(`headgate:{user:${n}}`));
    return adjustAcross(parts, 0, async () => {
      const error = left.shift();
      if (error !== undefined) throw error;
      return outcome;
    }).then(
      () => undefined,
      (error) => error,
    );
  }

  it("are all in doubt if one slot was adjusted and another was not", async () => {
    expect(await fault(undefined, new Error("refused"))).toMatchObject({ message: "refused", inDoubt: true });
  });

  it("are in doubt if the adjustment of one slot is in doubt", async () => {
    const error = await fault(new Error("refused"), inDoubt(new Error("cut off")));
    expect(error).toMatchObject({ message: "cut off", inDoubt: true });
  });

  it("are not in doubt if no slot has changed anything", async () => {
    expect(await fault(new Error("refused"), new Error("refused too"))).not.toHaveProperty("inDoubt");
    expect(await fault(undefined, undefined)).toBeUndefined();
  });
});
