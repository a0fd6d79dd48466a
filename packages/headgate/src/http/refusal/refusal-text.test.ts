import { describe, expect, it } from "vitest";
import type { RefusalProblem } from "./refusal.ts";
import { refusalPage, refusalText } from "./refusal-text.ts";

const problem = (detail: string) => ({ error: "Too many requests", detail }) as RefusalProblem;

describe("refusalPage", () => {
  it("says what has happened, and when to try again", () => {
    const page = refusalPage(problem("Try again in 43 seconds."));
    expect(page).toContain("<h1>Too many requests</h1>\n<p>Try again in 43 seconds.</p>\n</main>");
  });

  it("escapes names from the policy", () => {
    const page = refusalPage(problem(`5 <script>"&'`));
    expect(page).toContain("<p>5 &lt;script&gt;&quot;&amp;&#39;</p>");
  });
});

describe("refusalText", () => {
  it("says what has happened, and when to try again, as text", () => {
    expect(refusalText(problem("Try again in 43 seconds."))).toBe(
      "Too many requests\n\nTry again in 43 seconds.\n",
    );
  });
});
