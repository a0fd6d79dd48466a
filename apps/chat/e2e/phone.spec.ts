import type { Page } from "@playwright/test";
import { answers, ask, composer, conversations, newEmail, notice, send, spend } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

async function expectToFit(page: Page): Promise<void> {
  const sizes = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    screen: document.documentElement.clientWidth,
    zoom: window.visualViewport?.scale,
  }));
  expect(sizes).toEqual({ content: 390, screen: 390, zoom: 1 });
  const outside = await page.evaluate(() =>
    [...document.querySelectorAll("main button, main textarea, main h1, main article, main p")]
      .filter((element) => {
        if (element.closest(".scroll, [role=img], svg, .sr-only, pre")) return false;
        const { left, right, width } = element.getBoundingClientRect();
        return width > 1 && (left < -0.5 || right > innerWidth + 0.5);
      })
      .map((element) => `${element.tagName} ${element.textContent?.slice(0, 40)}`),
  );
  expect(outside, "elements that extend beyond the screen").toEqual([]);
}

test("the page fits, its field needs no zoom, and the composer stays visible", async ({ page }) => {
  await page.goto("/");
  await expect(composer(page)).toBeInViewport({ ratio: 1 });
  await expectToFit(page);
  await expect(composer(page)).toHaveCSS("font-size", "16px");

  await ask(page, "Compare £50,000, £60,000 and £70,000");
  await expectToFit(page);
  await ask(page, "chart take-home from 20k to 120k");
  await expect(answers(page).getByRole("img", { name: /^Take-home pay and deductions/ })).toBeVisible();
  await expectToFit(page);
  await ask(page, "take-home on £45k in Scotland with plan 2");
  await expectToFit(page);
  await expect(composer(page)).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole("button", { name: "Send", exact: true })).toBeInViewport({ ratio: 1 });

  // The layout is as high as the screen, so the page itself does not scroll.
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(844);
});

test("controls are large enough for a finger", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £45k in Scotland with plan 2");
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, a[href], summary, textarea")].flatMap((element) => {
      const { width, height } = element.getBoundingClientRect();
      if (width <= 1 || element.closest(".sr-only") || getComputedStyle(element).visibility === "hidden")
        return [];
      const isSkipLink = element.matches("a[href='#main']");
      // WCAG 2.2, target size (minimum).
      return isSkipLink || (width >= 24 && height >= 24)
        ? []
        : [`${element.outerHTML.slice(0, 80)} ${width}×${height}`];
    }),
  );
  expect(small).toEqual([]);
});

test("the sidebar is a drawer", async ({ page }) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  const place = page.url();
  await expect(conversations(page)).toBeHidden();
  await page.getByRole("link", { name: "New chat" }).tap();
  await expect(page).toHaveURL("/");

  const opener = page.getByRole("button", { name: "Open the sidebar" });
  await opener.tap();
  const drawer = page.getByRole("dialog", { name: "Sidebar" });
  await expect(drawer).toBeVisible();
  await expectToFit(page);
  await conversations(page).getByRole("link", { name: "Take-home on £30,000" }).tap();
  await expect(drawer).toBeHidden();
  await expect(page).toHaveURL(place);
  await expect(answers(page)).toContainText("£30,000");

  await opener.tap();
  await drawer.getByRole("button", { name: "Close the sidebar" }).tap();
  await expect(drawer).toBeHidden();
  await opener.tap();
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(opener).toBeFocused();
  await opener.tap();
  await page.touchscreen.tap(380, 400);
  await expect(drawer).toBeHidden();
});

test("an account can be created from the drawer", async ({ page }) => {
  const email = newEmail();
  await page.goto("/");
  await page.getByRole("button", { name: "Open the sidebar" }).tap();
  await page.getByRole("button", { name: "Account and settings" }).tap();
  await page.getByRole("menuitem", { name: "Create an account" }).tap();
  await expect(page.getByRole("heading", { name: "Create an account" })).toBeVisible();
  await expectToFit(page);
  for (const field of [page.getByLabel("E-mail"), page.getByLabel("Password", { exact: true })]) {
    await expect(field).toHaveCSS("font-size", "16px");
  }
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await page.getByRole("button", { name: "Create account" }).tap();
  await expect(composer(page)).toBeVisible();
  await page.getByRole("button", { name: "Open the sidebar" }).tap();
  await expect(page.getByRole("button", { name: `Account: ${email}` })).toBeVisible();
});

test.describe("over the limit", () => {
  test.use({ expected: [status(429)] });

  test("the notice and the message are visible together", async ({ page }) => {
    await spend(page, 4);
    await page.goto("/");
    await ask(page, "chart take-home from 20k to 120k");
    await send(page, "take-home on £52,000");
    await expect(notice(page)).toBeInViewport({ ratio: 1 });
    await expect(notice(page)).toContainText("Please wait");
    await expect(composer(page)).toBeInViewport({ ratio: 1 });
    await expect(composer(page)).toHaveValue("take-home on £52,000");
    await expectToFit(page);
  });
});
