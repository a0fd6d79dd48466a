import type { Page } from "@playwright/test";
import { ask, askTimes, spend } from "./chat-page.ts";
import { expect, test } from "./fixtures.ts";

const meter = (page: Page) => page.getByRole("meter", { name: "Messages used" });

test("the meter is hidden until 80% is used, and again after the quota has recovered", async ({
  page,
  time,
}) => {
  await page.goto("/");
  await askTimes(page, 3);
  await expect(meter(page)).toBeHidden();
  await ask(page, "take-home on £30,000");
  await expect(meter(page)).toContainText("4 of 5 messages this minute");
  await expect(meter(page)).toHaveAttribute("aria-valuenow", "4");
  await expect(meter(page)).toHaveAttribute("aria-valuemax", "5");
  await time.pass(page, 60);
  await expect(meter(page)).toBeHidden();
});

test("the meter is right from the start, and on every page of the same caller", async ({
  page,
  newVisitor,
}) => {
  await spend(page, 4);
  await page.goto("/");
  await expect(meter(page)).toContainText("4 of 5 messages this minute");
  // Without an account, callers are counted by address.
  const neighbour = await newVisitor();
  await neighbour.goto("/");
  await expect(meter(neighbour)).toContainText("4 of 5 messages this minute");
});

test.describe("the tightest limit", () => {
  test.use({ variables: { RATE_LIMIT_CHAT_PER_MIN: "100", RATE_LIMIT_CHAT_PER_HOUR: "5" } });

  test("is the limit that the meter shows", async ({ page }) => {
    await spend(page, 4);
    await page.goto("/");
    await expect(meter(page)).toContainText("4 of 5 messages this hour");
  });
});
