import type { Group, Stretch, Summary } from "./summary.ts";
import { count, counted, duration, percent, sentence, time, uses, waitsInWords } from "./words.ts";

const width = 720;
const height = 220;
/** The parts of a bar, from the bottom up. */
const parts = [
  ["kept", "admitted in both", ({ admitted, newlyRefused }: Stretch) => admitted - newlyRefused],
  ["gained", "newly admitted", ({ newlyAdmitted }: Stretch) => newlyAdmitted],
  ["lost", "newly refused", ({ newlyRefused }: Stretch) => newlyRefused],
  ["refused", "refused in both", ({ refused, newlyAdmitted }: Stretch) => refused - newlyAdmitted],
] as const;

const style = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d5dae0;--kept:#3b7dd8;--gained:#2a8f5b;--lost:#c8372d;--refused:#8b95a1}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;--dim:#9aa4af;--line:#343b42;--kept:#5c9bf0;--gained:#4bbd82;--lost:#ef6a5f;--refused:#6f7a86}}
*{box-sizing:border-box}body{margin:0 auto;max-width:50rem;padding:1rem;background:var(--bg);color:var(--fg);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}.dim{color:var(--dim)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right;font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left;overflow-wrap:anywhere}svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font-size:12px}
.kept{fill:var(--kept);background:var(--kept)}.gained{fill:var(--gained);background:var(--gained)}.lost{fill:var(--lost);background:var(--lost)}.refused{fill:var(--refused);background:var(--refused)}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}.key i{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem;border-radius:2px}
summary{cursor:pointer;padding:.5rem 0}`;

/** Renders summaries as one page, with a section for each limiter. The page loads no files and runs no scripts. */
export function asHtml(summaries: readonly Summary[]): string {
  const title = summaries.map(({ limiter }) => limiter).join(", ");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}: replay</title><style>${style}</style></head><body><main>
${summaries.map(partOf).join("\n")}
</main></body></html>
`;
}

function partOf(summary: Summary): string {
  const {
    limiter,
    policy,
    decisions,
    callers,
    from,
    to,
    logged,
    replayed,
    newlyRefused,
    newlyAdmitted,
    cutShort,
    currency,
  } = summary;
  const groups: (readonly [string, Group])[] = [
    ["Admitted in the log", logged.admitted],
    ["Refused in the log", logged.refused],
    ["Admitted in the replay", replayed.admitted],
    ["Refused in the replay", replayed.refused],
    ...(policy === "another"
      ? ([
          ["Newly refused", newlyRefused],
          ["Newly admitted", newlyAdmitted],
          ["Cut short", cutShort],
        ] as const)
      : []),
  ];
  const differences =
    summary.differences === undefined
      ? sentence(summary)
      : summary.differences === 0
        ? "Every decision matches the log."
        : `${counted(summary.differences, "decision differs", "decisions differ")} from the log.`;
  return `<section aria-label="${escaped(limiter)}">
<h1>${escaped(limiter)}: ${policy === "another" ? "another policy" : "the same policy"}</h1>
<p>${escaped(differences)}</p>
<p class="dim">${counted(decisions, "decision")} of ${counted(callers, "caller")}, ${time(from)} to ${time(to)}</p>
<h2>Decisions</h2>
${table(
  ["", "decisions", "share", "callers", "used"],
  groups.map(([name, group]) => [
    name,
    count(group.decisions),
    percent(group.decisions, decisions),
    count(group.callers),
    uses(group, currency),
  ]),
)}
<h2>Over time</h2>
${plot(summary.overTime)}
<ul class="key">${parts.map(([name, words]) => `<li><i class="${name}"></i>${words}</li>`).join("")}</ul>
<details><summary>Show as a table, for each ${duration(summary.stretchMs)}</summary>
${table(
  ["from", ...parts.map(([, words]) => words)],
  summary.overTime.map((stretch) => [time(stretch.at), ...parts.map(([, , of]) => count(of(stretch)))]),
)}
</details>
<h2>Refused by</h2>
${table(
  ["limit", "refused", "newly"],
  summary.byLimit.map(({ limit, refused, newlyRefused: newly }) => [limit, count(refused), count(newly)]),
)}
<p>${waitsInWords(summary.waits, summary.replayed.refused.decisions)}.</p>
${
  policy === "another"
    ? `<h2>Callers with most changes</h2>${table(
        ["caller", "newly refused", "newly admitted", "decisions"],
        summary.callersMost.map((one) => [
          `${one.layer} ${one.partition}`,
          count(one.newlyRefused),
          count(one.newlyAdmitted),
          count(one.decisions),
        ]),
      )}`
    : ""
}
<h2>What is not known</h2><ul>${summary.caveats.map((caveat) => `<li>${escaped(caveat)}</li>`).join("")}</ul>
</section>`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p class="dim">None.</p>';
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join("");
  const body = rows
    .map(
      ([first = "", ...cells]) =>
        `<tr><th scope="row">${escaped(first)}</th>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`,
    )
    .join("\n");
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(heads.join(", "))}"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** Draws one bar for each period, in parts. */
function plot(stretches: readonly Stretch[]): string {
  const highest = Math.max(1, ...stretches.map(({ admitted, refused }) => admitted + refused));
  const step = width / Math.max(1, stretches.length);
  const bars = stretches.flatMap((stretch, s) => {
    let top = height;
    return parts.map(([name, words, of]) => {
      const tall = (of(stretch) / highest) * height;
      top -= tall;
      if (tall === 0) return "";
      const title = `${time(stretch.at)}: ${count(of(stretch))} ${words}`;
      return `<rect class="${name}" x="${(s * step).toFixed(1)}" y="${top.toFixed(1)}" width="${Math.max(1, step - 1).toFixed(1)}" height="${tall.toFixed(1)}"><title>${escaped(title)}</title></rect>`;
    });
  });
  const label = `Decisions over time, at most ${count(highest)} in one period; the table below has the figures.`;
  return `<svg viewBox="0 -16 ${width} ${height + 18}" role="img" aria-label="${escaped(label)}"><text x="0" y="-4">${count(highest)}</text>${bars.join("")}<rect class="refused" x="0" y="${height}" width="${width}" height="1"/></svg>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
