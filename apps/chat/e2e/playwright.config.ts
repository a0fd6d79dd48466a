import { defineConfig } from "@playwright/test";

/** The system's Chromium; `npm test` finds it and sets the variable. */
const chromium = process.env.CHROMIUM_PATH || "/usr/bin/chromium";

/** Tests with a real browser and the real server, as `npm test` builds it. */
export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.ts",
  outputDir: "../../../test-results/e2e",
  // `npm test` reads the counts from the JSON file.
  reporter: [["line"], ["json", { outputFile: "../../../test-results/playwright.json" }]],
  // Retries would hide bugs.
  retries: 0,
  forbidOnly: process.env.CI === "true",
  fullyParallel: false,
  workers: 2,
  // The time limit is long, for a busy machine.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  use: {
    // A trace costs as much as the test; use `--trace on` if needed.
    trace: "off",
    screenshot: "only-on-failure",
    locale: "en-GB",
    timezoneId: "Europe/London",
    launchOptions: {
      executablePath: chromium,
      args: [
        // Chromium's sandbox refuses to run as root, the usual user in a container.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
});
