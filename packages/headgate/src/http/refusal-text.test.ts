import { describe, expect, it } from "vitest";
import type { RefusalProblem } from "./refusal.ts";
import { refusalPage, refusalText } from "./refusal-text.ts";

const problem = (changes: Partial<RefusalProblem>) =>
  ({
    error: "Too many requests",
    detail: "The limit of 5 requests per minute has been reached.",
    retry_after_seconds: 43,
    ...changes,
  }) as RefusalProblem;

describe("refusalPage", () => {
  it.each([
    [1, "PT1S", "1 second"],
    [119, "PT119S", "119 seconds"],
    [121, "PT121S", "3 minutes"],
    [7199, "PT7199S", "120 minutes"],
    [7201, "PT7201S", "3 hours"],
    [200_000, "PT200000S", "3 days"],
  ])("tells a wait of %i s in words, never too early", (retry_after_seconds, duration, words) => {
    expect(refusalPage(problem({ retry_after_seconds }))).toContain(
      `You can try again in <time datetime="${duration}">${words}</time>.`,
    );
  });

  it("tells no wait where none helps", () => {
    expect(refusalPage(problem({ retry_after_seconds: null }))).not.toContain("try again");
  });

  it("shows what a policy is named as text", () => {
    const page = refusalPage(problem({ detail: `5 <script>"&'` }));
    expect(page).toContain("<p>5 &lt;script&gt;&quot;&amp;&#39;</p>");
  });
});

describe("refusalText", () => {
  it("says what has happened, and when to come back", () => {
    expect(refusalText(problem({ detail: "Try again in 43 seconds." }))).toBe(
      "Too many requests\n\nTry again in 43 seconds.\n",
    );
  });
});
