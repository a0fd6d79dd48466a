import { ask } from "./chat-page.ts";
import { expect, test } from "./fixtures.ts";

const long = "org/a-model-with-a-name-that-is-longer-than-any-phone-is-wide-2026-11-05-preview";

test.use({ answeredBy: "model server", variables: { LLM_MODEL: `first-model,second-model,${long}` } });

test("several models are offered; the chosen model answers, also after a reload", async ({
  page,
  modelServer,
}) => {
  await page.goto("/");
  const picker = page.getByLabel("Answered by");
  await expect(picker).toHaveValue("first-model");
  await ask(page, "one");
  await picker.selectOption("second-model");
  await ask(page, "two");
  await page.reload();
  await expect(picker).toHaveValue("second-model");
  await ask(page, "three");
  const asked = modelServer.requests.filter(({ body }) => body.stream).map(({ body }) => body.model);
  expect(asked).toEqual(["first-model", "second-model", "second-model"]);
});

for (const [device, viewport] of [
  ["a phone", { width: 320, height: 640 }],
  ["a desktop", { width: 1280, height: 800 }],
] as const) {
  test(`the longest name fits ${device}, and is shown in full where it is cut`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await page.goto("/");
    const picker = page.getByLabel("Answered by");
    await picker.selectOption(long);
    await expect(picker).toHaveAttribute("title", long);
    await expect(picker).toHaveCSS("text-overflow", "ellipsis");
    const box = await picker.boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(viewport.width);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      viewport.width,
    );
  });
}
