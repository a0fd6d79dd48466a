import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { QuotaMeter, type QuotaMeterProps } from "./index.ts";

function render(remaining: number, props: Partial<QuotaMeterProps> = {}): string {
  const limit = { name: "user-per-minute", quota: 5, windowSeconds: 60, remaining, resetSeconds: 12 };
  return renderToStaticMarkup(<QuotaMeter limit={limit} {...props} />);
}

describe("QuotaMeter", () => {
  it.each([
    [5, false],
    [2, false],
    [1, true],
    [0, true],
  ])("with %i of 5 units left, being shown is %s", (remaining, isShown) => {
    expect(render(remaining) !== "").toBe(isShown);
  });

  it("has the role meter, with its value as a number and as text", () => {
    expect(render(1)).toBe(
      '<div role="meter" aria-label="Quota used" aria-valuemin="0" aria-valuemax="5" aria-valuenow="4" ' +
        'aria-valuetext="4 of 5 used" data-headgate-meter="" style="--headgate-used-share:0.8">' +
        '<span data-headgate-meter-fill=""></span><span data-headgate-meter-text="">4 of 5 used</span></div>',
    );
  });

  it("renders nothing while the limit or its quota is not known", () => {
    expect(renderToStaticMarkup(<QuotaMeter limit={undefined} from={0} />)).toBe("");
    expect(renderToStaticMarkup(<QuotaMeter limit={null} from={0} />)).toBe("");
    const limit = { name: "a", remaining: 0, resetSeconds: 1 };
    expect(renderToStaticMarkup(<QuotaMeter limit={limit} from={0} />)).toBe("");
  });

  it("stays within its bounds whatever the server reports", () => {
    expect(render(9, { from: 0 })).toContain('aria-valuenow="0"');
    expect(render(-3)).toContain('aria-valuenow="5"');
  });

  it("accepts other texts, attributes and styles", () => {
    const html = render(1, {
      label: "Messages",
      valueText: (used, { quota, name }) => `${used}/${quota} ${name}`,
      className: "meter",
      style: { color: "red" },
      children: "nearly all",
    });
    expect(html).toContain('aria-label="Messages"');
    expect(html).toContain('aria-valuetext="4/5 user-per-minute"');
    expect(html).toContain('class="meter"');
    expect(html).toContain('style="color:red;--headgate-used-share:0.8"');
    expect(html).toContain(">nearly all<");
  });
});
