import type { Page } from "@playwright/test";
import { accountButton, answers, ask, notice, send, spend } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

/** Returns the brightness of the page's background on the screen, from 0 to 255. */
function brightness(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d");
    if (!canvas) throw new Error("no canvas");
    canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / 3;
  });
}

const isDark = (page: Page) => expect.poll(() => brightness(page)).toBeLessThan(50);
const isLight = (page: Page) => expect.poll(() => brightness(page)).toBeGreaterThan(200);

async function chooseTheme(page: Page, name: string): Promise<void> {
  await accountButton(page).click();
  await page.getByRole("menuitemradio", { name }).click();
  await page.keyboard.press("Escape");
}

test("the page follows the system's dark theme", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/");
  await isDark(page);
  await page.emulateMedia({ colorScheme: "light" });
  await isLight(page);
});

test("a chosen theme survives a reload, and applies before the first paint", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/");
  await chooseTheme(page, "Dark");
  await isDark(page);

  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.body) return;
      observer.disconnect();
      Object.assign(window, { themeBeforeBody: document.documentElement.dataset.theme });
    }).observe(document, { childList: true, subtree: true });
  });
  await page.reload();
  expect(await page.evaluate(() => (window as unknown as { themeBeforeBody: string }).themeBeforeBody)).toBe(
    "dark",
  );
  await isDark(page);

  await chooseTheme(page, "System");
  await isLight(page);
  await page.reload();
  await isLight(page);
});

test.describe("with reduced motion", () => {
  test.use({ expected: [status(429)], contextOptions: { reducedMotion: "reduce" } });

  test("no animation is noticeable", async ({ page }) => {
    await spend(page, 4);
    await page.goto("/");
    await ask(page, "take-home on £30,000");
    await send(page, "take-home on £52,000");
    await expect(notice(page)).toBeVisible();
    const moving = await page.evaluate(() =>
      document.getAnimations().flatMap((animation) => {
        const { duration, iterations } = animation.effect?.getTiming() ?? {};
        return Number(duration) > 1 || iterations === Number.POSITIVE_INFINITY ? [String(duration)] : [];
      }),
    );
    expect(moving).toEqual([]);
    expect(
      await notice(page).evaluate(
        (element) => getComputedStyle(element.parentElement ?? element).animationName,
      ),
    ).toBe("none");
    await expect(answers(page)).toHaveCount(1);
  });
});
