import type { Browser, BrowserContext, Page } from "@playwright/test";

/** Part of a line on a browser's console, such as `the server responded with a status of 429`. */
export type Complaint = string | RegExp;

/** Chromium's message for a response with this status. */
export const status = (code: number): Complaint => `the server responded with a status of ${code} `;

/** Chromium's message for a request without a network or a server. */
export const noConnection: Complaint =
  /net::ERR_(INTERNET_DISCONNECTED|CONNECTION_(REFUSED|RESET|CLOSED)|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/;

interface ConsoleWatch {
  /** Returns the unexpected errors. */
  other(expected: readonly Complaint[]): string[];
  end(): void;
}

/**
 * Collects every error on the console of every page that a browser opens: failed requests, broken content policy,
 * uncaught exceptions.
 */
export function watchConsole(browser: Browser): ConsoleWatch {
  const complaints: string[] = [];

  function watchPage(page: Page): void {
    page.on("pageerror", (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      complaints.push(`${message.text()} (${message.location().url})`);
    });
  }
  function watchContext(context: BrowserContext): void {
    // A library that violates the policy and catches the error is only reported by this event.
    void context.addInitScript(() => {
      addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile }) => {
        console.error(`content policy: ${effectiveDirective} forbids ${blockedURI}, in ${sourceFile}`);
      });
    });
    for (const page of context.pages()) watchPage(page);
    context.on("page", watchPage);
  }
  for (const context of browser.contexts()) watchContext(context);
  browser.on("context", watchContext);

  return {
    other: (expected) =>
      complaints.filter(
        (line) =>
          !expected.some((part) => (typeof part === "string" ? line.includes(part) : part.test(line))),
      ),
    end: () => browser.off("context", watchContext),
  };
}
