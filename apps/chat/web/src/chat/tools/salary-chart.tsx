import { type PointerEvent, useEffect, useId, useRef, useState } from "react";
import type { Breakdown } from "../../../../tax/work-out.ts";
import { ScrollRegion } from "../../design/scroll-region.tsx";
import { assumptions, exact, percent, pounds, roundPounds, sharesOf, thousands } from "./figures.ts";
import { axisTicks, labelStep } from "./scale.ts";

const height = 260;
const margin = { top: 12, right: 4, bottom: 26, left: 46 };

/** Stacked bars for a range of salaries, with a table of the same figures below. */
export function SalaryChart({ rows }: { rows: readonly Breakdown[] }) {
  const [width, frame] = useWidth();
  const [picked, setPicked] = useState<number | null>(null);
  const id = useId();
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last) return null;

  const parts = sharesOf(rows);
  const highest = Math.max(...rows.map((row) => row.pay.salary), 1);
  const inner = {
    width: Math.max(width - margin.left - margin.right, 10),
    height: height - margin.top - margin.bottom,
  };
  const y = (amount: number) => margin.top + inner.height * (1 - amount / highest);
  const slot = inner.width / rows.length;
  const bar = Math.min(Math.max(slot * 0.72, 2), 44);
  const every = labelStep(rows.length, inner.width, 46);
  const shown = rows[picked ?? -1];
  const pick = (event: PointerEvent<SVGSVGElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left - margin.left;
    const index = Math.floor(x / slot);
    setPicked(index >= 0 && index < rows.length ? index : null);
  };
  const inWords = (row: Breakdown) =>
    `${pounds(row.pay.salary)}: ${roundPounds(row.takeHome)} taken home, ${roundPounds(row.takeHomeMonthly)} a month`;

  return (
    <figure
      className="framed arrive m-0"
      aria-label={`Salaries from ${pounds(first.pay.salary)} to ${pounds(last.pay.salary)}`}
    >
      <figcaption className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 px-5 pt-4">
        <span className="font-semibold">Where a salary goes</span>
        <ul className="my-0! flex list-none! flex-wrap gap-x-4 gap-y-1 p-0! text-quiet text-sm">
          {parts.map(({ key, label, colour }) => (
            <li key={key} className="my-0! flex items-center gap-1.5">
              <span aria-hidden="true" className="size-2.5 rounded-[3px]" style={{ background: colour }} />
              {label}
            </li>
          ))}
        </ul>
      </figcaption>

      <div
        ref={frame}
        className="relative mx-3 mt-2 rounded-lg has-focus-visible:outline-2 has-focus-visible:outline-accent sm:mx-4"
      >
        <svg
          role="img"
          aria-labelledby={`${id}-title ${id}-text`}
          width={width}
          height={height}
          className="block max-w-full touch-pan-y select-none overflow-visible"
          onPointerDown={pick}
          onPointerMove={pick}
          // On a touch screen, keep the selection after the finger is lifted.
          onPointerLeave={(event) => {
            if (event.pointerType === "mouse") setPicked(null);
          }}
        >
          <title id={`${id}-title`}>Take-home pay and deductions by salary</title>
          <desc id={`${id}-text`}>
            Of {pounds(first.pay.salary)} one takes home {pounds(first.takeHome)}; of{" "}
            {pounds(last.pay.salary)}, {pounds(last.takeHome)}. {rows.length} salaries; all figures are in the
            table below the chart.
          </desc>
          <g className="pointer-events-none">
            {axisTicks(highest).map((tick) => (
              <g key={tick}>
                <line
                  x1={margin.left}
                  x2={margin.left + inner.width}
                  y1={y(tick)}
                  y2={y(tick)}
                  stroke="var(--line)"
                  strokeWidth={1}
                />
                <text
                  x={margin.left - 8}
                  y={y(tick)}
                  dy="0.32em"
                  textAnchor="end"
                  className="tabular fill-quiet text-xs"
                >
                  {thousands(tick)}
                </text>
              </g>
            ))}
            {rows.map((row, index) => {
              const x = margin.left + slot * index + (slot - bar) / 2;
              let below = 0;
              return (
                <g
                  key={row.pay.salary}
                  opacity={picked === null || picked === index ? 1 : 0.45}
                  className="transition-opacity"
                >
                  {parts.map(({ key, colour }) => {
                    const amount = Math.max(row[key], 0);
                    const top = y(below + amount);
                    const bottom = y(below);
                    below += amount;
                    return (
                      <rect
                        key={key}
                        x={x}
                        y={top}
                        width={bar}
                        height={Math.max(bottom - top - 1, 0)}
                        rx={1.5}
                        fill={colour}
                      />
                    );
                  })}
                  {index % every === 0 && (
                    <text
                      x={margin.left + slot * (index + 0.5)}
                      y={height - 8}
                      textAnchor="middle"
                      className="tabular fill-quiet text-xs"
                    >
                      {thousands(row.pay.salary)}
                    </text>
                  )}
                </g>
              );
            })}
          </g>
        </svg>
        {/* For the keyboard, an invisible slider moves from bar to bar. */}
        <input
          type="range"
          min={0}
          max={rows.length - 1}
          value={picked ?? 0}
          aria-label="Salary in the chart"
          aria-valuetext={inWords(rows[picked ?? 0] ?? first)}
          className="sr-only"
          onFocus={(event) => setPicked(Number(event.target.value))}
          onBlur={() => setPicked(null)}
          onChange={(event) => setPicked(Number(event.target.value))}
        />
      </div>

      <p className="tabular my-0! min-h-6 px-5 pb-2 text-quiet text-sm" aria-hidden="true">
        {shown ? (
          <>
            <strong className="text-ink">{pounds(shown.pay.salary)}</strong>: {roundPounds(shown.takeHome)}{" "}
            taken home, {roundPounds(shown.takeHomeMonthly)} a month
          </>
        ) : (
          <span className="unprinted">Point at a bar, or tap it, to read it.</span>
        )}
      </p>

      <ChartTable rows={rows} />
      <p className="my-0! border-line border-t bg-sunken px-5 py-2.5 text-quiet text-sm">
        {assumptions(first)}
      </p>
    </figure>
  );
}

function ChartTable({ rows }: { rows: readonly Breakdown[] }) {
  const parts = sharesOf(rows);
  return (
    <details className="group border-line border-t">
      <summary className="flex min-h-10 list-none items-center gap-1.5 px-5 font-medium text-accent text-sm marker:content-none">
        <span aria-hidden="true" className="transition-transform group-open:rotate-90">
          ›
        </span>
        Show as a table
      </summary>
      <ScrollRegion
        label="Table of the chart, scrolls"
        className="max-h-96 overflow-auto border-line border-t"
      >
        <table className="figures text-sm">
          <caption className="sr-only">Take-home pay and deductions by salary</caption>
          <thead className="sticky top-0">
            <tr>
              <th scope="col" className="number">
                Salary
              </th>
              {parts.map(({ key, label }) => (
                <th key={key} scope="col" className="number">
                  {label}
                </th>
              ))}
              <th scope="col" className="number">
                Kept of the next £1
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.pay.salary}>
                <th scope="row" className="number">
                  {pounds(row.pay.salary)}
                </th>
                {parts.map(({ key }) => (
                  <td key={key} className="number">
                    {exact(row[key])}
                  </td>
                ))}
                <td className="number">{percent(1 - row.marginal.rate)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </details>
  );
}

/** Returns a ref, and the current width of its element in pixels. */
function useWidth() {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(320);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const watcher = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return [width, frame] as const;
}
