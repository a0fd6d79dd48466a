import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { number, timeOf } from "./format.ts";
import { Table } from "./parts.tsx";

export interface PlotSeries {
  name: string;
  /** A custom CSS property, such as `--admitted`. */
  colour: string;
  counts: readonly number[];
}

interface PlotProps {
  label: string;
  /** The start of each bar, in milliseconds. */
  times: readonly number[];
  series: readonly PlotSeries[];
}

const HEIGHT = 200;

/** Stacked bars over time, with a table of the same figures. */
export function Plot({ label, times, series }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const scheme = useScheme();
  const names = series.map(({ name, colour }) => `${name} ${colour}`).join();

  const plot = useRef<uPlot | null>(null);
  // The plot is recreated if the series or the colours change. The effect below sets the counts.
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(optionsFor(element, series, setPointed), stacked(times, series), element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [names, scheme]);
  useEffect(() => plot.current?.setData(stacked(times, series)), [times, series]);

  const at = pointed === null ? undefined : times[pointed];
  return (
    <div class="plot">
      <p class="legend" aria-hidden="true">
        {series.map(({ name, colour, counts }) => (
          <span key={name}>
            <i style={{ background: `var(${colour})` }} />
            {name}
            {pointed !== null && <b>{number(counts[pointed] ?? 0)}</b>}
          </span>
        ))}
        <span class="at">{at === undefined ? "" : `at ${timeOf(at)}`}</span>
      </p>
      <div ref={place} class="canvas" role="img" aria-label={`${label}: ${inWords(series)}`} />
      <details>
        <summary>Show as a table</summary>
        <Table
          label={label}
          empty="No decisions yet."
          keyOf={({ time }) => String(time)}
          rows={times
            .map((time, t) => ({ time, counts: series.map(({ counts }) => counts[t] ?? 0) }))
            .filter(({ counts }) => counts.some((count) => count > 0))
            .reverse()}
          columns={[
            { head: "From", cell: ({ time }) => timeOf(time) },
            ...series.map(({ name }, s) => ({
              head: name,
              cell: ({ counts }: { counts: number[] }) => number(counts[s] ?? 0),
              isNumber: true,
            })),
          ]}
        />
      </details>
    </div>
  );
}

function inWords(series: readonly PlotSeries[]): string {
  return series
    .map(
      ({ name, counts }) => `${number(counts.reduce((sum, count) => sum + count, 0))} ${name.toLowerCase()}`,
    )
    .join(", ");
}

/** Stacks the series, with the first series at the bottom. Each series is drawn as a running sum, the highest sum first. */
function stacked(times: readonly number[], series: readonly PlotSeries[]): uPlot.AlignedData {
  const sums = times.map(() => 0);
  const layers = series.map(({ counts }) => {
    counts.forEach((count, place) => {
      sums[place] = (sums[place] ?? 0) + count;
    });
    return [...sums];
  });
  return [times.map((time) => time / 1_000), ...layers.reverse()];
}

function optionsFor(
  element: HTMLElement,
  series: readonly PlotSeries[],
  onPoint: (place: number | null) => void,
): uPlot.Options {
  const colour = (property: string) => resolved(element, property);
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(element).fontFamily}`,
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(4, most)] } },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        values: (_plot, seconds) => seconds.map((second) => timeOf(second * 1_000)),
      },
      {
        ...axis,
        size: 44,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
        values: (_plot, counts) => counts.map(number),
      },
    ],
    series: [
      {},
      ...[...series].reverse().map(({ name, colour: property }) => ({
        label: name,
        fill: colour(property),
        stroke: colour(property),
        width: 0,
        points: { show: false },
        ...(uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.78, 40], align: 1 }) } : {}),
      })),
    ],
  };
}

/** Resolves a colour, because a canvas supports neither custom properties nor `light-dark()`. */
function resolved(element: HTMLElement, property: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${property})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function useScheme(): boolean {
  const query = useRef(matchMedia("(prefers-color-scheme: dark)"));
  const [isDark, setDark] = useState(query.current.matches);
  useEffect(() => {
    const changed = () => setDark(query.current.matches);
    query.current.addEventListener("change", changed);
    return () => query.current.removeEventListener("change", changed);
  }, []);
  return isDark;
}
