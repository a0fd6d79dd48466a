import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { answers, composer, isIdle } from "./chat-page.ts";
import { expect, test } from "./fixtures.ts";

/** The maximum JavaScript that a page loads up to its first answer, in bytes, compressed with gzip. */
const mostScriptBytes = 150_000;
/** The maximum layout shift. Search engines rate up to 0.1 as good. */
const mostLayoutShift = 0.05;

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

/** Adds a measured figure to the report of the run. */
function note(description: string): void {
  test.info().annotations.push({ type: "measured", description });
}

/** Slows the page down to a phone of some years ago, on a network of the same age. */
async function slowDown(page: Page): Promise<void> {
  const phone = await page.context().newCDPSession(page);
  await phone.send("Network.enable");
  await phone.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 150,
    downloadThroughput: 200_000,
    uploadThroughput: 90_000,
  });
  await phone.send("Emulation.setCPUThrottlingRate", { rate: 4 });
}

async function watchLayout(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    const seen = { shift: 0 };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
      })[])
        if (!entry.hadRecentInput) seen.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  return () => page.evaluate(() => (window as unknown as { seen: { shift: number } }).seen.shift);
}

for (const question of [
  "take-home on £45k, plan 2",
  "Compare £50,000 and £60,000",
  "chart take-home from 20k to 90k",
]) {
  test(`the first answer causes no layout shift on a slow phone: ${question}`, async ({ page }) => {
    test.slow();
    const shift = await watchLayout(page);
    await slowDown(page);
    await page.goto("/");
    await composer(page).pressSequentially(question);
    await composer(page).press("Enter");
    await expect(answers(page)).toHaveCount(1);
    await isIdle(page);
    const shifted = await shift();
    note(`layout shift ${shifted.toFixed(4)}`);
    expect(shifted).toBeLessThan(mostLayoutShift);
  });
}

test("the page loads little before the first answer, in Brotli, and preloads its font", async ({ page }) => {
  const scripts: Promise<Buffer>[] = [];
  const encodings = new Map<string, string | undefined>();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    encodings.set(pathname, response.headers()["content-encoding"]);
    if (pathname.endsWith(".js")) scripts.push(response.body());
  });
  await page.goto("/");
  await composer(page).fill("take-home on £45k in Scotland with plan 2");
  await composer(page).press("Enter");
  await expect(answers(page)).toHaveCount(1);
  await isIdle(page);

  const bytes = (await Promise.all(scripts)).map((script) => gzipSync(script).length);
  const total = bytes.reduce((sum, each) => sum + each, 0);
  note(`${total} bytes of JavaScript, compressed, in ${bytes.length} files`);
  expect(bytes.length).toBeGreaterThan(1);
  expect(total).toBeLessThan(mostScriptBytes);
  const largest = [...encodings].filter(([name]) => /^\/assets\/index-.*\.(js|css)$/.test(name));
  expect(largest.map(([, encoding]) => encoding)).toEqual(["br", "br"]);
  const font = page.locator("link[rel=preload][as=font]");
  await expect(font).toHaveAttribute("href", /^\/assets\/inter-latin-.*\.woff2$/);
  expect(encodings.has((await font.getAttribute("href")) ?? "")).toBe(true);
});
