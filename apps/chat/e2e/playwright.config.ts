import { defineConfig } from "@playwright/test";

/** The system's; `npm test` looks for it and sets the variable. */
const chromium = process.env.CHROMIUM_PATH || "/usr/bin/chromium";

/** A real browser against the real server, as `npm test` builds them. */
export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.ts",
  outputDir: "../../../test-results/e2e",
  // `npm test` counts from the JSON file.
  reporter: [["line"], ["json", { outputFile: "../../../test-results/playwright.json" }]],
  // A test that passes at the second try hides a fault.
  retries: 0,
  forbidOnly: process.env.CI === "true",
  fullyParallel: false,
  workers: 2,
  // Nothing waits for these to run out: they are for a machine that has other work.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  use: {
    // A trace costs as much as the test; `--trace on` asks for one.
    trace: "off",
    screenshot: "only-on-failure",
    locale: "en-GB",
    timezoneId: "Europe/London",
    launchOptions: {
      executablePath: chromium,
      args: [
        // Chromium's sandbox refuses to run as root, which is what a container's user mostly is.
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
