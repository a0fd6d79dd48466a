import { spawnSync } from "node:child_process";
import { expect, it, vi } from "vitest";
import { createTimeLimit, StoreTimeoutError } from "./time-limit.ts";

function keepBusy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it("does not blame the store for a process that was busy itself", async () => {
  const inTime = createTimeLimit("redis", 5);
  // The answer arrives in the turn of the event loop after the slow one.
  const answer = inTime(new Promise((resolve) => setTimeout(resolve, 4, "answer")));
  keepBusy(30);
  expect(await answer).toBe("answer");
});

it("reads the answers that have arrived before a call expires", async () => {
  const limitMs = 20;
  const inTime = createTimeLimit("redis", limitMs);
  // Read after the timers, as from a socket.
  const asked = inTime(new Promise((resolve) => setTimeout(() => setImmediate(resolve, "answer"), limitMs)));
  const begunAt = await new Promise<number>((resolve) => setImmediate(() => resolve(performance.now())));
  setTimeout(() => keepBusy(begunAt + limitMs + 3 - performance.now()), 2);
  expect(await asked).toBe("answer");
});

it("does not count the time in which the process was busy turn after turn, up to 20 time limits", async () => {
  vi.useFakeTimers();
  let busyMs = 0;
  const { now } = performance;
  vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + busyMs);
  try {
    let isOver = false;
    const asked = createTimeLimit(
      "redis",
      250,
    )(new Promise<never>(() => {})).catch(() => {
      isOver = true;
    });
    const turn = async () => {
      busyMs += 1000;
      await vi.advanceTimersByTimeAsync(30);
    };
    await vi.advanceTimersByTimeAsync(1);
    for (let turns = 0; turns < 4; turns += 1) await turn();
    expect(isOver).toBe(false);
    await turn();
    expect(isOver).toBe(true);
    await asked;
  } finally {
    vi.restoreAllMocks();
    vi.useRealTimers();
  }
});

it("counts from the end of the turn in which calls began, as they are sent together then", async () => {
  const inTime = createTimeLimit("redis", 40);
  const asked = Array.from({ length: 10 }, () => {
    let send: (answer: string) => void = () => {};
    // Sent at the end of the turn, and answered some turns later.
    setImmediate(() => setTimeout(() => send("answer"), 5));
    return inTime(
      new Promise<string>((resolve) => {
        send = resolve;
      }),
    );
  });
  keepBusy(120);
  expect(await Promise.all(asked)).toEqual(new Array(10).fill("answer"));
});

it("expires calls in the order in which they began, each after its own time", async () => {
  const inTime = createTimeLimit("redis", 10);
  const ended: string[] = [];
  const never = new Promise<never>(() => {});
  const note = (name: string) => (error: unknown) => {
    expect(error).toBeInstanceOf(StoreTimeoutError);
    ended.push(name);
  };
  const first = inTime(never).catch(note("first"));
  expect(await inTime(Promise.resolve("at once"))).toBe("at once");
  const second = inTime(never).catch(note("second"));
  await Promise.all([second, first]);
  expect(ended).toEqual(["first", "second"]);
});

it("passes on the error of a call", async () => {
  const inTime = createTimeLimit("redis", 10);
  await expect(inTime(Promise.reject(new Error("no")))).rejects.toThrow("no");
});

it("settles each call once, for any order of thousands of answers", async () => {
  const inTime = createTimeLimit("redis", 30);
  const told: string[] = [];
  const answers: (() => void)[] = [];
  const asked = Array.from({ length: 5_000 }, (_, n) =>
    inTime(
      new Promise<number>((resolve) => answers.push(() => resolve(n))),
      (value) => {
        told.push("answered");
        return value;
      },
      (error) => {
        told.push("failed");
        throw error;
      },
    ),
  );
  // Answers come from the last to the first. One of each thousand never comes.
  for (let n = 4_999; n >= 0; n -= 1) if (n % 1_000 !== 0) answers[n]?.();
  const settled = await Promise.allSettled(asked);
  for (const [n, one] of settled.entries()) {
    if (n % 1_000 === 0) expect(one).toMatchObject({ reason: expect.any(StoreTimeoutError) });
    else expect(one).toEqual({ status: "fulfilled", value: n });
  }
  // Too late: these answers are ignored.
  for (const answer of answers) answer();
  await Promise.resolve();
  expect(told.filter((what) => what === "answered")).toHaveLength(4_995);
  expect(told).toHaveLength(5_000);
});

/** The output of a process that does this with a time limit, and then has nothing else to do. */
function printed(program: string): string {
  const imports = `import { createTimeLimit } from ${JSON.stringify(new URL("./time-limit.ts", import.meta.url).href)};`;
  const { stdout, stderr, signal } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", `${imports}\n${program}`],
    { encoding: "utf8", timeout: 20_000 },
  );
  return signal === null ? stdout + stderr : `ended by ${signal}`;
}

it("keeps a process alive only while calls are pending", () => {
  const never = "const never = new Promise(() => {});";
  const answered = 'await inTime(Promise.resolve());\nconsole.log("answered");';
  const expired = "inTime(never).catch(({ name }) => console.log(name));";
  const quick = 'const inTime = createTimeLimit("redis", 20);';
  expect(printed(`const inTime = createTimeLimit("redis", 600_000);\n${answered}`)).toBe("answered\n");
  expect(printed(`${never}\n${quick}\n${expired}`)).toBe("StoreTimeoutError\n");
  // Also if the timer of an earlier call is used again.
  expect(printed(`${never}\n${quick}\n${answered}\n${expired}`)).toBe("answered\nStoreTimeoutError\n");
}, 60_000);
