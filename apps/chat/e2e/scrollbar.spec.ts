import { answers, longConversation } from "./chat-page.ts";
import { expect, test } from "./fixtures.ts";
import config from "./playwright.config.ts";

// Headless browsers hide scrollbars by default.
test.use({ launchOptions: { ...config.use?.launchOptions, ignoreDefaultArgs: ["--hide-scrollbars"] } });

test("thread and composer are aligned with and without a scrollbar", async ({ page }) => {
  const middles = () =>
    page.evaluate(() =>
      ["main section", "main form"].map((selector) => {
        const element = document.querySelector(selector);
        const column = selector === "main form" ? element?.parentElement : element?.firstElementChild;
        const { left = Number.NaN, right = Number.NaN } = column?.getBoundingClientRect() ?? {};
        return (left + right) / 2;
      }),
    );
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const [empty, composer] = await middles();
  expect(empty).toBe(composer);

  await page.goto(`/c/${await longConversation(page, 20)}`);
  await expect(answers(page).last()).toContainText("£30,000");
  const widths = await page
    .getByRole("region", { name: "Conversation", exact: true })
    .evaluate((element) => [element.clientWidth, element.getBoundingClientRect().width]);
  expect(widths[0], "the width next to the scrollbar").toBeLessThan(widths[1] ?? 0);
  expect(await middles()).toEqual([composer, composer]);
});
