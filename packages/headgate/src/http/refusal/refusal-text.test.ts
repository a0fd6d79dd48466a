import { describe, expect, it } from "vitest";
import type { RefusalProblem } from "./refusal.ts";
import { refusalPage, refusalText } from "./refusal-text.ts";

const problem = (detail: string) => ({ error: "Too many requests", detail }) as RefusalProblem;

describe("refusalPage", () => {
  it("says once what has happened, and when to come back", () => {
    const page = refusalPage(problem("Try again in 43 seconds."));
    expect(page).toContain("<h1>Too many requests</h1>\n<p>Try again in 43 seconds.</p>\n</main>");
  });

  it("shows what a policy is named as text", () => {
    const page = refusalPage(problem(`5 <script>"&'`));
    expect(page).toContain("<p>5 &lt;script&gt;&quot;&amp;&#39;</p>");
  });
});

describe("refusalText", () => {
  it("says what has happened, and when to come back", () => {
    expect(refusalText(problem("Try again in 43 seconds."))).toBe(
      "Too many requests\n\nTry again in 43 seconds.\n",
    );
  });
});
