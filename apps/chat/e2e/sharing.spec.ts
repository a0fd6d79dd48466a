import { answers, ask, composer, conversations, questions } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

test.use({ permissions: ["clipboard-read", "clipboard-write"], expected: [status(404)] });

test("anyone with the link can read a shared conversation until its owner stops sharing", async ({
  page,
  newVisitor,
}) => {
  await page.goto("/");
  await ask(page, "take-home on £45k in Scotland with plan 2");
  const share = page.getByRole("button", { name: "Share", exact: true });
  await share.click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toHaveAccessibleName("Share this conversation");
  await dialog.getByRole("button", { name: "Create link" }).click();
  const link = dialog.getByRole("textbox", { name: "Link to the shared conversation" });
  const address = await link.inputValue();
  expect(address).toMatch(/\/share\/[\w-]{43}$/);
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await expect(dialog.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);

  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: "Shared", exact: true })).toBeFocused();
  await expect(conversations(page).getByLabel("Shared")).toBeVisible();

  const reader = await newVisitor();
  await reader.goto(address);
  await expect(reader.getByRole("heading", { level: 1 })).toHaveText(
    "Take-home on £45,000 in Scotland with Plan 2",
  );
  await expect(questions(reader)).toHaveText("take-home on £45k in Scotland with plan 2");
  await expect(answers(reader)).toContainText("£34,118.20");
  await expect(answers(reader).getByRole("region", { name: "Take-home pay on £45,000" })).toBeVisible();
  await expect(composer(reader)).toHaveCount(0);
  await expect(reader.getByRole("button", { name: "Edit question" })).toHaveCount(0);
  await expect(reader.getByRole("button", { name: "Answer again" })).toHaveCount(0);

  await page.getByRole("button", { name: "Shared", exact: true }).click();
  await dialog.getByRole("button", { name: "Stop sharing" }).click();
  await expect(dialog).toHaveAccessibleName("Share this conversation");
  await reader.reload();
  await expect(reader.getByRole("heading", { name: "This link no longer works." })).toBeVisible();
  await expect(reader.getByText("£34,118.20")).toHaveCount(0);

  // The new link differs from the old link, and the old link stays invalid.
  await dialog.getByRole("button", { name: "Create link" }).click();
  await expect(link).toBeVisible();
  expect(await link.inputValue()).not.toBe(address);
  await reader.reload();
  await expect(reader.getByRole("heading", { name: "This link no longer works." })).toBeVisible();
});
