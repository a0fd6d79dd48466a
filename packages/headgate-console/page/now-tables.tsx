import type { Now } from "../src/serving/view.ts";
import { counted as countOf, duration, number, percent } from "./format.ts";
import type { Counts } from "./now-counts.ts";
import { Card, Table } from "./parts.tsx";

export function Waits({ counts: { byName }, refused }: { counts: Counts; refused: number }) {
  return (
    <Card title="Waits of refused callers">
      <Table
        label="Waits of refused callers"
        empty="Nobody had to wait."
        rows={byName("wait").sort(([one], [other]) => waitOrder(one) - waitOrder(other))}
        keyOf={([name]) => name}
        columns={[
          { head: "Up to", cell: ([name]) => waitInWords(name) },
          { head: "Refused", cell: ([, count]) => number(count), isNumber: true },
          { head: "Share", cell: ([, count]) => <Share part={count} of={refused} /> },
        ]}
      />
    </Card>
  );
}

export function RefusalsByPlan({ counts: { byName, sum } }: { counts: Counts }) {
  return (
    <Card title="Refusal rate by plan">
      <Table
        label="Refusal rate by plan"
        rows={byName("plan")}
        keyOf={([plan]) => plan}
        columns={[
          { head: "Plan", cell: ([plan]) => plan },
          { head: "Decisions", cell: ([, count]) => number(count), isNumber: true },
          {
            head: "Refused",
            cell: ([plan, count]) => <Share part={sum("plan-refused", plan)} of={count} />,
          },
        ]}
      />
    </Card>
  );
}

export function Used({ counts: { byName, sum } }: { counts: Counts }) {
  return (
    <Card title="Used" lead="Units used by ended reservations, and units used beyond what was granted.">
      <Table
        label="Used"
        empty="No reservation has ended."
        rows={byName("used")}
        keyOf={([unit]) => unit}
        columns={[
          { head: "Unit", cell: ([unit]) => unit },
          { head: "Used", cell: ([, amount]) => number(amount), isNumber: true },
          { head: "Beyond", cell: ([unit]) => number(sum("overshoot", unit)), isNumber: true },
        ]}
      />
    </Card>
  );
}

export function Cost({ cost }: { cost: NonNullable<Now["cost"]> }) {
  return (
    <Card title="Cost" lead="Of all answers that an account pays for, whatever the limiter.">
      <Table
        label="Cost"
        rows={[
          { what: `Held now, by ${countOf(cost.holders, "answer")}`, amount: cost.held },
          { what: "Used in the last hour", amount: cost.usedInHour },
          { what: "Used in the last 24 hours", amount: cost.usedInDay },
        ]}
        keyOf={({ what }) => what}
        columns={[
          { head: "What", cell: ({ what }) => what },
          { head: "Amount", cell: ({ amount }) => amount, isNumber: true },
        ]}
      />
    </Card>
  );
}

export function DecidedBy({ counts: { byName }, decisions }: { counts: Counts; decisions: number }) {
  return (
    <Card title="Decided by">
      <Table
        label="Decided by"
        empty="No decisions yet."
        rows={byName("by")}
        keyOf={([by]) => by}
        columns={[
          { head: "Who", cell: ([by]) => by },
          { head: "Decisions", cell: ([, count]) => number(count), isNumber: true },
          { head: "Share", cell: ([, count]) => <Share part={count} of={decisions} /> },
        ]}
      />
    </Card>
  );
}

function Share({ part, of }: { part: number; of: number }) {
  return (
    <span class="share">
      <i style={{ width: `${of === 0 ? 0 : Math.min(100, (part / of) * 100)}%` }} />
      {percent(part, of)}
    </span>
  );
}

function waitOrder(name: string): number {
  if (name === "longer") return Number.MAX_VALUE;
  return name === "never" ? Number.POSITIVE_INFINITY : Number(name);
}

function waitInWords(name: string): string {
  if (name === "longer") return "more than a day";
  return name === "never" ? "no wait helps" : duration(Number(name) * 1_000);
}
