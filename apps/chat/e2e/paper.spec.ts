import {
  answers,
  ask,
  composer,
  conversations,
  longConversation,
  notice,
  questions,
  send,
  spend,
} from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

test.describe("on paper", () => {
  test.use({ colorScheme: "dark", expected: [status(429)] });

  test("the whole conversation is printed, dark on light, without controls", async ({ page }) => {
    const id = await longConversation(page, 40);
    await page.goto(`/c/${id}`);
    await expect(answers(page).last()).toContainText("£30,000");
    await spend(page, 4);
    await send(page, "take-home on £52,000");
    await expect(notice(page)).toBeVisible();
    await expect(page.getByText("question 0", { exact: true })).toHaveCount(0);

    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await page.emulateMedia({ media: "print" });
    await expect(questions(page)).toHaveCount(41);
    await expect(page.getByText("question 0", { exact: true })).toBeVisible();
    await expect(answers(page).last()).toBeVisible();
    for (const part of [composer(page), conversations(page), notice(page)]) await expect(part).toBeHidden();
    await expect(page.getByRole("button")).toHaveCount(0);

    const paper = await page.evaluate(() => {
      const first = document.querySelector("article");
      const scrolls = [
        ...document.querySelectorAll("main, main section, body, #root > :not(.sr-only)"),
      ].filter(
        (element) =>
          element.scrollHeight > element.clientHeight + 1 &&
          getComputedStyle(element).overflowY !== "visible",
      );
      const canvas = document.createElement("canvas").getContext("2d");
      if (!first || !canvas) throw new Error("nothing to print");
      canvas.fillStyle = getComputedStyle(first).color;
      canvas.fillRect(0, 0, 1, 1);
      return {
        ink: Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)),
        cutOff: scrolls.map((element) => element.tagName),
      };
    });
    expect(paper.cutOff, "elements that would be cut off at the end of the first page").toEqual([]);
    expect(paper.ink, "the brightness of the text").toBeLessThan(90);
    const pdf = await page.pdf();
    const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    expect(pages).toBeGreaterThan(2);
  });
});

test.describe("in forced colours", () => {
  test.use({ contextOptions: { forcedColors: "active" }, expected: [status(429)] });

  test("borders replace backgrounds, and figures keep their colours", async ({ page }) => {
    await page.goto("/");
    await ask(page, "take-home on £45k in Scotland with plan 2");
    const outline = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => {
          const { outlineStyle, borderTopStyle } = getComputedStyle(element);
          return [outlineStyle, borderTopStyle];
        });
    expect(await outline(".question")).toContain("solid");
    expect(await outline("a[aria-current=page]")).toContain("solid");
    await composer(page).focus();
    expect((await outline(".composer"))[0]).toBe("solid");
    const swatches = await answers(page)
      .locator("dt > span")
      .evaluateAll((elements) => elements.map((element) => getComputedStyle(element).backgroundColor));
    expect(new Set(swatches).size).toBe(swatches.length);
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.keyboard.press("ArrowDown");
    expect((await outline("[role=menuitem]:focus"))[0]).toBe("solid");
  });
});

test("a chart is read by tap and by keyboard", async ({ page }) => {
  await page.goto("/");
  await ask(page, "chart take-home from 20k to 120k");
  const figure = answers(page).getByRole("figure");
  const chart = figure.getByRole("img", { name: /^Take-home pay and deductions/ });
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  if (!box) throw new Error("the chart has no box");
  await chart.dispatchEvent("pointerdown", { clientX: box.x + box.width - 20, pointerType: "touch" });
  await chart.dispatchEvent("pointerleave", { pointerType: "touch" });
  await expect(figure).toContainText("£120,000:");

  const slider = figure.getByRole("slider", { name: "Salary in the chart" });
  await slider.focus();
  await page.keyboard.press("Home");
  await expect(figure).toContainText("£20,000:");
  await expect(slider).toHaveAttribute("aria-valuetext", /^£20,000: £[\d,]+ taken home/);
  await page.keyboard.press("ArrowRight");
  await expect(slider).not.toHaveAttribute("aria-valuetext", /^£20,000:/);
});

test.describe("on the narrowest screens", () => {
  test.use({
    viewport: { width: 320, height: 568 },
    hasTouch: true,
    isMobile: true,
    expected: [status(429)],
  });

  test("nothing overflows at 320 pixels", async ({ page }) => {
    const overflow = () =>
      page.evaluate(() =>
        [...document.querySelectorAll("body *")]
          .filter((element) => {
            // Except elements that scroll, are hidden, or are off screen until needed.
            if (element.closest("table, svg, .sr-only, pre, dialog, [popover], a[href='#main']"))
              return false;
            const { left, right, width } = element.getBoundingClientRect();
            return width > 1 && (left < -0.5 || right > innerWidth + 0.5);
          })
          .map((element) => `${element.tagName} ${element.className} ${element.textContent?.slice(0, 40)}`),
      );
    await page.goto("/");
    expect(await overflow()).toEqual([]);
    await ask(page, "take-home on £45k in Scotland with plan 2");
    await ask(page, "Compare £50,000, £60,000 and £70,000");
    await ask(page, "chart take-home from 20k to 120k");
    expect(await overflow()).toEqual([]);
    await spend(page, 2);
    await send(page, "take-home on £52,000");
    await expect(notice(page)).toBeVisible();
    expect(await overflow()).toEqual([]);
    await page.goto("/sign-up");
    expect(await overflow()).toEqual([]);
  });
});

test("text in a right-to-left script runs from right to left", async ({ page }) => {
  await page.goto("/");
  await composer(page).fill("مرحبا");
  await expect(composer(page)).toHaveCSS("direction", "rtl");
  await composer(page).press("Enter");
  await expect(questions(page).locator("[dir=auto]")).toHaveCSS("direction", "rtl");
  await composer(page).fill("hello");
  await expect(composer(page)).toHaveCSS("direction", "ltr");
});
