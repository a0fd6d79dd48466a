import type { Now, TopView } from "../src/serving/view.ts";
import { duration, exactTimeOf, number } from "./format.ts";
import { CallerLink, Card, Table } from "./parts.tsx";

export function TopCallers({ kind, tops }: { kind: TopView["kind"]; tops: readonly TopView[] }) {
  const same = tops.filter((top) => top.kind === kind);
  const rows = same
    .flatMap(({ layer, callers }) => callers.map((caller) => ({ layer, ...caller })))
    .sort((one, other) => other.count - one.count)
    .slice(0, 12);
  const unseen = Math.max(0, ...same.map((top) => top.unseen));
  const isExact = unseen === 0 && rows.every(({ error }) => error === 0);
  const title = kind === "refused" ? "Most often refused" : "Most often near a limit";
  return (
    <Card
      title={title}
      lead={`In the last 30 to 60 minutes. ${isExact ? "Counted exactly." : `A sketch: a count may be too high by the figure after ±; no other caller has more than ${number(unseen)} in a layer.`}`}
    >
      <Table
        label={title}
        empty={kind === "refused" ? "Nobody was refused." : "Nobody came near a limit."}
        rows={rows}
        keyOf={({ layer, key }) => `${layer} ${key}`}
        columns={[
          { head: "Caller", cell: ({ key, of }) => <CallerLink of={of} shown={key} /> },
          { head: "Layer", cell: ({ layer }) => layer },
          {
            head: "Times",
            cell: ({ count, error }) => `${number(count)}${error > 0 ? ` ±${number(error)}` : ""}`,
            isNumber: true,
          },
        ]}
      />
    </Card>
  );
}

export function LastRefusals({ now, limiter }: { now: Now; limiter: string }) {
  return (
    <Card title="Last refusals" lead="A refused caller sees the request id. Look it up under Callers." wide>
      <Table
        label="Last refusals"
        empty="No recent refusals."
        rows={now.refusals.filter((one) => one.limiter === limiter)}
        keyOf={({ at, key, requestId }) => `${at} ${key} ${requestId}`}
        columns={[
          { head: "At", cell: ({ at }) => exactTimeOf(at) },
          { head: "Caller", cell: ({ key, of }) => <CallerLink of={of} shown={key} /> },
          { head: "Limit", cell: ({ limit }) => limit },
          { head: "Wait", cell: ({ waitMs }) => duration(waitMs), isNumber: true },
          {
            head: "Request",
            cell: ({ requestId, foundBy }) => <CallerLink of={foundBy} shown={shortId(requestId)} />,
          },
        ]}
      />
    </Card>
  );
}

/** Shortens an id for display. The link has the whole id. */
function shortId(id: string | null): string {
  if (id === null) return "–";
  return id.length > 13 ? `${id.slice(0, 8)}…` : id;
}
