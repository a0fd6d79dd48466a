import { CircleAlert, CircleCheck, LoaderCircle } from "lucide-react";
import { type ReactNode, Suspense } from "react";
import { ErrorBoundary } from "../../design/error-boundary.tsx";
import { loadedAhead } from "../../design/loaded-ahead.tsx";
import type { ToolCall } from "../message.ts";
import { breakdownRows, isBreakdown } from "./figures.ts";
import { shownBy } from "./headline.ts";
import { fieldWords, toolWords } from "./tool-names.ts";

const SalaryChart = loadedAhead(() => import("./salary-chart.tsx").then((module) => module.SalaryChart));
const SalaryCard = loadedAhead(() => import("./salary-card.tsx").then((module) => module.SalaryCard));
const ComparisonTable = loadedAhead(() =>
  import("./comparison-table.tsx").then((module) => module.ComparisonTable),
);

/** Preloads the code of all figures while a question is being written. */
export const loadFigures = () => Promise.all([SalaryCard.load(), ComparisonTable.load(), SalaryChart.load()]);

/** A step of an answer: what the tool does and whether it is done. A click shows input and output. */
export function ToolStep({ call, live }: { call: ToolCall; live: boolean }) {
  const words = toolWords(call.name);
  const failed = call.state === "output-error" || call.state === "output-denied";
  const done = call.state === "output-available";
  // A stored answer that was stopped during a step has no running step.
  const running = !failed && !done && live;
  const title = failed
    ? words.failed
    : done
      ? words.done
      : running
        ? `${words.running} …`
        : `${words.running}: stopped`;
  return (
    <details
      className="group my-1.5 text-sm"
      data-tool={call.name}
      data-state={failed ? "error" : done ? "done" : "running"}
    >
      <summary className="inline-flex min-h-8 max-w-full list-none items-center gap-2 rounded-lg pe-2 text-quiet marker:content-none hover:text-ink">
        {running && <LoaderCircle aria-hidden="true" className="size-4 shrink-0 animate-spin text-accent" />}
        {done && <CircleCheck aria-hidden="true" className="size-4 shrink-0 text-accent" />}
        {!running && !done && (
          <CircleAlert aria-hidden="true" className={`size-4 shrink-0 ${failed ? "text-bad" : ""}`} />
        )}
        <span className="truncate">{title}</span>
        <span aria-hidden="true" className="transition-transform group-open:rotate-90">
          ›
        </span>
      </summary>
      <div className="mt-1 mb-3 ms-2 space-y-3 border-line border-s-2 ps-4">
        <Fields title="Went in" value={call.input} />
        {failed && <p className="my-0! text-bad">{call.errorText ?? "No reason was given."}</p>}
        {done && <Fields title="Came out" value={call.output} />}
      </div>
    </details>
  );
}

/** The figures of a known tool. Renders nothing for other tools, whose step shows the output. */
export function ToolFigure({ call }: { call: ToolCall }) {
  const figure = call.state === "output-available" ? figureOf(call) : null;
  if (!figure) return null;
  return (
    <div className="my-4">
      {/* If the figure fails, the answer still has its text, and the step still shows its numbers. */}
      <ErrorBoundary fallback={null}>
        <Suspense fallback={<div className="h-40 rounded-xl bg-sunken" />}>{figure}</Suspense>
      </ErrorBoundary>
    </div>
  );
}

function figureOf({ name, input, output }: ToolCall): ReactNode {
  if (name === "take_home" && isBreakdown(output)) {
    const left = "leftMonthly" in output ? output.leftMonthly : undefined;
    return (
      <SalaryCard
        breakdown={output}
        asked={shownBy(input)}
        leftMonthly={typeof left === "number" ? left : undefined}
      />
    );
  }
  if (name === "salary_for_take_home") {
    const found = fieldOf(output, "breakdown");
    return isBreakdown(found) ? <SalaryCard breakdown={found} asked={shownBy(null)} /> : null;
  }
  const rows = breakdownRows(output);
  if (!rows) return null;
  if (name === "compare_salaries") return <ComparisonTable rows={rows} />;
  if (name === "household") {
    const together = fieldOf(output, "takeHome");
    return <ComparisonTable rows={rows} together={typeof together === "number" ? together : undefined} />;
  }
  if (name === "salary_table") return <SalaryChart rows={rows} />;
  return null;
}

function fieldOf(output: unknown, key: string): unknown {
  return typeof output === "object" && output !== null ? (output as Record<string, unknown>)[key] : undefined;
}

function Fields({ title, value }: { title: string; value: unknown }) {
  if (value === undefined || value === null) return null;
  return (
    <div>
      <p className="my-0! mb-1! font-medium text-quiet text-xs">{title}</p>
      {isFlat(value) ? (
        <dl className="m-0 grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5">
          {Object.entries(value).map(([key, field]) => (
            <div key={key} className="contents">
              <dt className="text-quiet">{fieldWords(key)}</dt>
              <dd className="tabular break-words">{plain(field)}</dd>
            </div>
          ))}
        </dl>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <pre className="max-h-72 overflow-auto rounded-lg bg-sunken p-3 text-xs leading-relaxed" tabIndex={0}>
          {JSON.stringify(value, null, 2)}
        </pre>
      )}
    </div>
  );
}

type FlatValue = string | number | boolean | null;

/** Whether every field fits on a line. Such objects are shown as a list instead of JSON. */
function isFlat(value: unknown): value is Record<string, FlatValue | FlatValue[]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(
    (field) =>
      typeof field !== "object" ||
      field === null ||
      (Array.isArray(field) && field.every((item) => typeof item !== "object")),
  );
}

function plain(field: FlatValue | FlatValue[]): string {
  if (Array.isArray(field)) return field.length === 0 ? "none" : field.join(", ");
  if (typeof field === "boolean") return field ? "yes" : "no";
  if (typeof field === "number") return new Intl.NumberFormat("en-GB").format(field);
  return field ?? "none";
}
