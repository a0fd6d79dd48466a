import type { Now, ProcessView } from "../src/serving/view.ts";
import { duration, number } from "./format.ts";
import { Card, Table } from "./parts.tsx";

const STATES = { closed: "decides", "half-open": "is being tried", open: "does not answer" };

export function Processes({ now, limiter }: { now: Now; limiter: string }) {
  const { processes, readsOthers, unreadable } = now;
  const live = processes.filter(({ state }) => state !== "silent").length;
  return (
    <Card
      title="Processes and their store"
      lead={`${live === 1 ? "One process is" : `${live} processes are`} counted on this page now.${readsOthers ? " Counts of ended processes stay for an hour." : " Counts are lost on a restart."}${unreadable > 0 ? ` ${unreadable} with another version cannot be read.` : ""}`}
      wide
    >
      <Table
        label="Processes and their store"
        rows={processes}
        keyOf={({ id }) => id}
        columns={[
          { head: "Process", cell: ({ name }) => name },
          { head: "Heard", cell: heard },
          ...storeColumns(limiter),
        ]}
      />
    </Card>
  );
}

function heard({ state, ageMs }: ProcessView): string {
  if (state === "own") return "it shows this page";
  return state === "live" ? `${duration(ageMs)} ago` : `silent for ${duration(ageMs)}`;
}

function storeColumns(limiter: string) {
  const of = ({ limiters }: ProcessView) => limiters.find(({ name }) => name === limiter);
  return [
    {
      head: "Store",
      cell: (process: ProcessView) => {
        const one = of(process);
        if (one === undefined) return "–";
        return one.state === "closed" ? (
          `${one.store} ${STATES.closed}`
        ) : (
          <span class="ill">
            {one.store} {STATES[one.state]}
            {one.reason === null ? "" : `: ${one.reason}`}
          </span>
        );
      },
    },
    { head: "Failures", cell: (process: ProcessView) => number(of(process)?.failures ?? 0), isNumber: true },
    { head: "Unsent", cell: (process: ProcessView) => number(of(process)?.untold ?? 0), isNumber: true },
    { head: "Lost", cell: (process: ProcessView) => number(of(process)?.dropped ?? 0), isNumber: true },
    { head: "Holding", cell: (process: ProcessView) => number(of(process)?.holding ?? 0), isNumber: true },
  ];
}
