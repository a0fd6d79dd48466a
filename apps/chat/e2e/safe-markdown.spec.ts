import { answers, composer, isIdle, questions, send } from "./chat-page.ts";
import { watchConsole } from "./console-watch.ts";
import { expect, test } from "./fixtures.ts";

test.use({ answeredBy: "model server", permissions: ["clipboard-read", "clipboard-write"] });

const hostile = [
  'Plain <img src="/favicon.svg" onerror="window.broken = true"> and <script>window.broken = true</script>.',
  "[a trap](javascript:window.broken=true) [a link](https://example.com/page)",
  "![a picture](https://example.com/picture.png)",
  "```js\nconst safe = '<b>true</b>';\n```",
  "| Salary | Tax |\n| --- | ---: |\n| £1 | £0 |",
].join("\n\n");

test("a model's text is shown as text, tables and code, and cannot run anything", async ({
  page,
  service,
  modelServer,
}) => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(service.url) && !/^(data|blob):/.test(request.url()))
      elsewhere.push(request.url());
  });
  modelServer.setText(hostile);
  const response = await page.goto("/");
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain("unsafe-eval");

  await send(page, '<img src="/favicon.svg" onerror="window.broken = true">');
  await isIdle(page);
  await expect(answers(page).getByRole("table")).toContainText("£1");
  await expect(questions(page)).toHaveText('<img src="/favicon.svg" onerror="window.broken = true">');
  expect(await page.evaluate(() => "broken" in window)).toBe(false);
  await expect(answers(page).locator("img, script")).toHaveCount(0);
  await expect(answers(page).getByRole("link", { name: "a trap" })).toHaveCount(0);
  const link = answers(page).getByRole("link", { name: "a link" });
  await expect(link).toHaveAttribute("rel", /noopener/);
  await expect(link).toHaveAttribute("target", "_blank");

  await answers(page).getByRole("button", { name: "Copy code" }).click();
  expect((await page.evaluate(() => navigator.clipboard.readText())).trim()).toBe(
    "const safe = '<b>true</b>';",
  );
  await expect(composer(page)).toBeVisible();
  expect(elsewhere, "requests to other origins").toEqual([]);
});

test.describe(() => {
  test.use({ expected: [/content policy/] });

  test("violations of the content security policy are reported, and the page itself causes none", async ({
    browser,
    page,
  }) => {
    const watch = watchConsole(browser);
    await page.goto("/");
    await send(page, "hello");
    await isIdle(page);
    expect(watch.other([])).toEqual([]);
    // Like a library that violates the policy and hides the error.
    await page.evaluate(() => {
      setTimeout(() => {
        try {
          new Function("return 1")();
        } catch {}
      });
    });
    await expect.poll(() => watch.other([]).join()).toContain("content policy: script-src forbids eval");
    watch.end();
  });
});
