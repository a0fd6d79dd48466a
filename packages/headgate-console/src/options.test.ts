import { createLimiter, HeadgateError } from "headgate";
import { describe, expect, it } from "vitest";
import { createCollector } from "./counting/collector.ts";
import { livePolicies } from "./policies/live-policies.ts";
import { createConsole } from "./serving/console.ts";
import { limiterDesk } from "./serving/limiter-desk.ts";
import { operatorToken } from "./serving/operator-token.ts";

const limiter = createLimiter<string>({
  name: "chat",
  layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
});
const caller = (of: string) => of;

const taking: Record<string, [take: (options: never) => unknown, right: object]> = {
  createCollector: [(options) => createCollector([limiter], options), { name: "one" }],
  createConsole: [createConsole, { collector: createCollector([limiter]), authorize: () => null }],
  limiterDesk: [limiterDesk, { limiter, caller }],
  operatorToken: [operatorToken, { token: "x".repeat(32), limiter, caller: () => "a" }],
  livePolicies: [livePolicies, { limiters: [{ limiter }] }],
  "a limiter of livePolicies": [(managed) => livePolicies({ limiters: [managed] }), { limiter }],
};

describe.each(Object.entries(taking))("%s", (_name, [take, right]) => {
  it("accepts valid options, and names an option that does not exist", () => {
    expect(() => take(right as never)).not.toThrow();
    expect(() => take({ ...right, zzz: 1 } as never)).toThrow(/has no option "zzz"/);
  });

  it.each([[null], [5], ["text"], [[]]])("throws for %j instead of an object", (options) => {
    expect(() => take(options as never)).toThrow(HeadgateError);
  });
});
