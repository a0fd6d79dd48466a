import type { Page } from "@playwright/test";
import { accountButton, answers, ask, composer, conversations, newEmail, signUp } from "./chat-page.ts";
import { status } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

/** The main part of the page, without the live regions, which repeat the text for screen readers. */
const main = (page: Page) => page.getByRole("main");

const password = "correct horse battery";

async function fillIn(page: Page, email: string, word: string): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(word);
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.goto("/sign-in");
  await fillIn(page, email, password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(accountButton(page)).toContainText(email);
}

async function signOut(page: Page): Promise<void> {
  await accountButton(page).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(accountButton(page)).toContainText("Not signed in");
}

test("a person signs up, out and in again, and finds the questions from before the account", async ({
  page,
  newVisitor,
}) => {
  const email = newEmail();
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  await expect(accountButton(page)).toContainText("Not signed in");

  await accountButton(page).click();
  await page.getByRole("menuitem", { name: "Create an account" }).click();
  await expect(page).toHaveURL(/\/sign-up\?next=%2Fc%2F/);
  await fillIn(page, email, password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(accountButton(page)).toContainText(email);
  // The built-in calculator is free, so the page shows no credit.
  await expect(accountButton(page)).toContainText("Signed in");
  await expect(page.getByText("credit")).toHaveCount(0);
  await expect(conversations(page).getByRole("link")).toHaveText(["Take-home on £30,000"]);
  await expect(answers(page)).toContainText("£30,000");

  await signOut(page);
  await expect(conversations(page).getByRole("link")).toHaveCount(0);

  await signIn(page, email);
  await conversations(page).getByRole("link", { name: "Take-home on £30,000" }).click();
  await expect(answers(page)).toContainText("£30,000");

  const elsewhere = await newVisitor();
  await signIn(elsewhere, email);
  await expect(conversations(elsewhere).getByRole("link")).toHaveText(["Take-home on £30,000"]);
});

test("scripts and other sites cannot read the cookies", async ({ page, context }) => {
  await page.goto("/");
  await ask(page, "take-home on £30,000");
  await signUp(page, newEmail());
  const cookies = await context.cookies();
  expect(cookies.map(({ name }) => name).sort()).toEqual(["headgate.session_token", "headgate_visitor"]);
  for (const cookie of cookies) expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  expect(await page.evaluate(() => document.cookie)).toBe("");
});

test.describe("errors", () => {
  test.use({ expected: [status(401), status(422), status(400), status(429)] });

  test("a wrong password, an unknown address and a missing address have messages, and the typed text stays", async ({
    page,
  }) => {
    const email = newEmail();
    await signUp(page, email);
    await signOut(page);
    await page.goto("/sign-in");
    const submit = page.getByRole("button", { name: "Sign in", exact: true });

    await submit.click();
    await expect(main(page).getByText("Please enter your e-mail address")).toBeVisible();
    await expect(page.getByLabel("E-mail")).toBeFocused();

    for (const address of [email, newEmail()]) {
      await fillIn(page, address, "not the password");
      await submit.click();
      await expect(
        main(page).getByText("This e-mail address and password do not match an account."),
      ).toBeVisible();
      await expect(page.getByLabel("E-mail")).toHaveValue(address);
      await expect(page.getByLabel("Password", { exact: true })).toBeFocused();
    }
    await expect(accountButton(page)).toContainText("Not signed in");
  });

  test("an address in use, and a short password, create no account", async ({ page }) => {
    const email = newEmail();
    await signUp(page, email);
    await signOut(page);
    await page.goto("/sign-up");
    const submit = page.getByRole("button", { name: "Create account" });
    await fillIn(page, newEmail(), "short");
    await submit.click();
    await expect(main(page).getByText("Please choose a password of at least 8 characters.")).toBeVisible();
    await fillIn(page, email, "another password");
    await submit.click();
    await expect(main(page).getByText("There is already an account with this e-mail address.")).toBeVisible();
    await expect(page.getByLabel("E-mail")).toHaveAttribute("aria-invalid", "true");
  });

  test.describe("guessing", () => {
    test.use({ variables: { RATE_LIMIT_SIGN_IN_IP_PER_MIN: "2" } });

    test("is slowed down: after too many attempts the page shows how long to wait", async ({
      page,
      time,
    }) => {
      await page.goto("/sign-in");
      for (const guess of ["first guess", "second guess", "third guess"]) {
        await fillIn(page, "ada@example.com", guess);
        const answered = page.waitForResponse("**/auth/sign-in/email");
        await page.getByRole("button", { name: "Sign in", exact: true }).click();
        await answered;
        await expect(page.getByRole("button", { name: "Sign in", exact: true })).toHaveAttribute(
          "aria-disabled",
          "false",
        );
      }
      const words = main(page).getByText("Too many attempts from your network.");
      await expect(words).toContainText(/Please try again in \d+ s\./);
      await time.pass(page, 60);
      await expect(words).toContainText("You can try again now.");
    });
  });
});

test("a draft survives signing up, and is removed on signing out", async ({ page }) => {
  await page.goto("/");
  await composer(page).fill("a private thought");
  await signUp(page, newEmail());
  await expect(composer(page)).toHaveValue("a private thought");
  await signOut(page);
  await expect(composer(page)).toHaveValue("");
  await page.reload();
  await expect(composer(page)).toHaveValue("");
});

test("signing out removes all drafts, also of conversations that were not opened, and in other tabs", async ({
  page,
  context,
}) => {
  await signUp(page, newEmail());
  await ask(page, "take-home on £30,000");
  await composer(page).fill("a private thought");
  // After another page load, the draft is only in storage.
  await page.goto("/");
  await expect(conversations(page).getByRole("link")).toHaveCount(1);
  const drafts = () => page.evaluate(() => Object.entries(localStorage).filter(([key]) => /draft/.test(key)));
  expect(JSON.stringify(await drafts())).toContain("a private thought");

  const other = await context.newPage();
  await other.goto("/");
  await composer(other).fill("another private thought");

  await signOut(page);
  expect(await drafts()).toEqual([]);
  await expect(composer(other)).toHaveValue("");
  await expect(accountButton(other)).toContainText("Not signed in");
  expect(await drafts()).toEqual([]);
});
