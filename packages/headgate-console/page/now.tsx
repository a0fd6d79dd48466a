import { useEffect, useMemo, useState } from "preact/hooks";
import type { SeriesKind } from "../src/counting/timeline.ts";
import type { Now, ProcessView, TopView } from "../src/serving/view.ts";
import { api, sentenceOf } from "./api.ts";
import { counted as countOf, duration, exactTimeOf, number, percent } from "./format.ts";
import { CallerLink, Card, Table, Trouble } from "./parts.tsx";
import { Plot } from "./plot.tsx";

const EVERY_MS = 2_000;
const RANGES = [
  { name: "15 minutes", steps: 60, perBar: 1 },
  { name: "1 hour", steps: 240, perBar: 4 },
] as const;
const LAYER_COLOURS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5"];
const STATES = { closed: "decides", "half-open": "is being tried", open: "does not answer" };

/** Polls the server while the page is visible. */
function useNow(isPaused: boolean): [Now | null, string | null] {
  const [now, setNow] = useState<Now | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    if (isPaused) return;
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const ask = async () => {
      if (!document.hidden) {
        try {
          setNow(await api.now());
          setTrouble(null);
        } catch (error) {
          setTrouble(sentenceOf(error));
        }
      }
      if (!isOver) timer = setTimeout(ask, EVERY_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [isPaused]);
  return [now, trouble];
}

export function NowView() {
  const [isPaused, setPaused] = useState(false);
  const [range, setRange] = useState<(typeof RANGES)[number]>(RANGES[0]);
  const [chosen, setChosen] = useState<string | null>(null);
  const [now, trouble] = useNow(isPaused);
  const names = now?.policies.map(({ limiter }) => limiter) ?? [];
  const limiter = chosen ?? names[0] ?? "";
  const counted = useMemo(() => (now ? countsOf(now, limiter, range) : null), [now, limiter, range]);

  if (!now || !counted) return trouble ? <Trouble>{trouble}</Trouble> : <p class="empty">Loading …</p>;
  const { sum, byName } = counted;
  const near = sum("near");
  const refused = sum("refused");
  const decisions = sum("admitted") + near + refused;
  const live = now.processes.filter(({ state }) => state !== "silent");
  const holding = live
    .flatMap(({ limiters }) => limiters)
    .filter(({ name }) => name === limiter)
    .reduce((total, one) => total + one.holding, 0);
  return (
    <>
      <div class="bar">
        <h1>Now</h1>
        <label>
          <span class="unseen">Limiter</span>
          <select value={limiter} onChange={(event) => setChosen(event.currentTarget.value)}>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          <span class="unseen">Time</span>
          <select
            value={range.name}
            onChange={(event) =>
              setRange(RANGES.find(({ name }) => name === event.currentTarget.value) ?? RANGES[0])
            }
          >
            {RANGES.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="button" class="quiet" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </div>
      {trouble && (
        <Trouble>
          {trouble} What is shown is of {exactTimeOf(now.at)}.
        </Trouble>
      )}
      <dl class="tiles">
        <Tile name="Decisions" value={number(decisions)} detail={`in the last ${range.name}`} />
        <Tile
          name="Refused"
          value={number(refused)}
          detail={`${percent(refused, decisions)} of all`}
          look={refused > 0 ? "bad" : undefined}
        />
        <Tile
          name="Near a limit"
          value={number(near)}
          detail="admitted with 80% or more used"
          look={near > 0 ? "warn" : undefined}
        />
        <Tile name="Retried early" value={number(sum("early"))} detail="before the wait was over" />
        <Tile name="Holding now" value={number(holding)} detail="requests with units or places" />
      </dl>
      <div class="cards">
        <Card title="Decisions over time">
          <Plot
            label="Decisions over time"
            times={counted.times}
            series={[
              { name: "Admitted", colour: "--admitted", counts: counted.over("admitted") },
              { name: "Near", colour: "--near", counts: counted.over("near") },
              { name: "Refused", colour: "--refused", counts: counted.over("refused") },
            ]}
          />
        </Card>
        <Card title="Refused, by layer">
          <Plot
            label="Refused, by layer"
            times={counted.times}
            series={layersOf(now, limiter).map((layer, l) => ({
              name: layer,
              colour: LAYER_COLOURS[l % LAYER_COLOURS.length] ?? "--chart-1",
              counts: counted.over("refused", layer),
            }))}
          />
        </Card>
        {(["refused", "near"] as const).map((kind) => (
          <TopCallers key={kind} kind={kind} tops={now.tops.filter((top) => top.limiter === limiter)} />
        ))}
        <Card
          title="Last refusals"
          lead="A refused caller sees the request id. Look it up under Callers."
          wide
        >
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
        {byName("plan").length > 0 && (
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
        )}
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
        {now.cost && (
          <Card title="Cost" lead="Of all answers that an account pays for, whatever the limiter.">
            <Table
              label="Cost"
              rows={[
                { what: `Held now, by ${countOf(now.cost.holders, "answer")}`, amount: now.cost.held },
                { what: "Used in the last hour", amount: now.cost.usedInHour },
                { what: "Used in the last 24 hours", amount: now.cost.usedInDay },
              ]}
              keyOf={({ what }) => what}
              columns={[
                { head: "What", cell: ({ what }) => what },
                { head: "Amount", cell: ({ amount }) => amount, isNumber: true },
              ]}
            />
          </Card>
        )}
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
        <Processes now={now} limiter={limiter} />
      </div>
    </>
  );
}

interface TileProps {
  name: string;
  value: string;
  detail: string;
  look?: "bad" | "warn" | undefined;
}

function Tile({ name, value, detail, look }: TileProps) {
  return (
    <div class={look ? `tile ${look}` : "tile"}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong> <span>{detail}</span>
      </dd>
    </div>
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

function TopCallers({ kind, tops }: { kind: TopView["kind"]; tops: readonly TopView[] }) {
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

function Processes({ now, limiter }: { now: Now; limiter: string }) {
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

function layersOf({ policies }: Now, limiter: string): string[] {
  return policies.find((policy) => policy.limiter === limiter)?.layers.map(({ name }) => name) ?? [];
}

function countsOf(now: Now, limiter: string, { steps, perBar }: (typeof RANGES)[number]) {
  const ofLimiter = now.series
    .filter(({ key }) => key[0] === limiter)
    .map(({ key, counts }) => ({ kind: key[1], name: key[2], counts: counts.slice(-steps) }));
  const of = (kind: SeriesKind, name?: string) =>
    ofLimiter.filter((one) => one.kind === kind && (name === undefined || one.name === name));
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const all = now.series[0]?.counts.length ?? steps;
  const bars = steps / perBar;
  return {
    times: Array.from({ length: bars }, (_, bar) => now.from + (all - steps + bar * perBar) * now.stepMs),
    over: (kind: SeriesKind, name?: string) => {
      const found = of(kind, name);
      return Array.from({ length: bars }, (_, bar) =>
        total(found.map(({ counts }) => total(counts.slice(bar * perBar, (bar + 1) * perBar)))),
      );
    },
    sum: (kind: SeriesKind, name?: string) => total(of(kind, name).map(({ counts }) => total(counts))),
    byName: (kind: SeriesKind): [string, number][] =>
      of(kind)
        .map(({ name, counts }): [string, number] => [name, total(counts)])
        .filter(([, count]) => count > 0)
        .sort(([, one], [, other]) => other - one),
  };
}

/** Shortens an id for display. The link has the whole id. */
function shortId(id: string | null): string {
  if (id === null) return "–";
  return id.length > 13 ? `${id.slice(0, 8)}…` : id;
}

function waitOrder(name: string): number {
  if (name === "longer") return Number.MAX_VALUE;
  return name === "never" ? Number.POSITIVE_INFINITY : Number(name);
}

function waitInWords(name: string): string {
  if (name === "longer") return "more than a day";
  return name === "never" ? "no wait helps" : duration(Number(name) * 1_000);
}
