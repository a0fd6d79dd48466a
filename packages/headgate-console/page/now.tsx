import { useEffect, useMemo, useState } from "preact/hooks";
import type { Now } from "../src/serving/view.ts";
import { api, sentenceOf } from "./api.ts";
import { exactTimeOf, number, percent } from "./format.ts";
import { LastRefusals, TopCallers } from "./now-callers.tsx";
import { type Counts, countsOf, RANGES, type Range } from "./now-counts.ts";
import { Processes } from "./now-processes.tsx";
import { Cost, DecidedBy, RefusalsByPlan, Used, Waits } from "./now-tables.tsx";
import { Card, Trouble } from "./parts.tsx";
import { Plot } from "./plot.tsx";

const EVERY_MS = 2_000;
const LAYER_COLOURS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5"];

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
  const [range, setRange] = useState<Range>(RANGES[0]);
  const [chosen, setChosen] = useState<string | null>(null);
  const [now, trouble] = useNow(isPaused);
  const names = now?.policies.map(({ limiter }) => limiter) ?? [];
  const limiter = chosen ?? names[0] ?? "";
  const counts = useMemo(() => (now ? countsOf(now, limiter, range) : null), [now, limiter, range]);

  if (!now || !counts) return trouble ? <Trouble>{trouble}</Trouble> : <p class="empty">Loading …</p>;
  const { sum, byName } = counts;
  const refused = sum("refused");
  const decisions = sum("admitted") + sum("near") + refused;
  return (
    <>
      <div class="bar">
        <h1>Now</h1>
        <Choice label="Limiter" names={names} chosen={limiter} choose={setChosen} />
        <Choice
          label="Time"
          names={RANGES.map(({ name }) => name)}
          chosen={range.name}
          choose={(chosenName) => setRange(RANGES.find(({ name }) => name === chosenName) ?? RANGES[0])}
        />
        <button type="button" class="quiet" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </div>
      {trouble && (
        <Trouble>
          {trouble} What is shown is of {exactTimeOf(now.at)}.
        </Trouble>
      )}
      <Tiles now={now} limiter={limiter} range={range} counts={counts} decisions={decisions} />
      <div class="cards">
        <DecisionsOverTime counts={counts} />
        <RefusedByLayer counts={counts} layers={layersOf(now, limiter)} />
        {(["refused", "near"] as const).map((kind) => (
          <TopCallers key={kind} kind={kind} tops={now.tops.filter((top) => top.limiter === limiter)} />
        ))}
        <LastRefusals now={now} limiter={limiter} />
        <Waits counts={counts} refused={refused} />
        {byName("plan").length > 0 && <RefusalsByPlan counts={counts} />}
        <Used counts={counts} />
        {now.cost && <Cost cost={now.cost} />}
        <DecidedBy counts={counts} decisions={decisions} />
        <Processes now={now} limiter={limiter} />
      </div>
    </>
  );
}

interface ChoiceProps {
  label: string;
  names: readonly string[];
  chosen: string;
  choose: (name: string) => void;
}

function Choice({ label, names, chosen, choose }: ChoiceProps) {
  return (
    <label>
      <span class="unseen">{label}</span>
      <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

interface TilesProps {
  now: Now;
  limiter: string;
  range: Range;
  counts: Counts;
  decisions: number;
}

function Tiles({ now, limiter, range, counts: { sum }, decisions }: TilesProps) {
  const near = sum("near");
  const refused = sum("refused");
  const live = now.processes.filter(({ state }) => state !== "silent");
  const holding = live
    .flatMap(({ limiters }) => limiters)
    .filter(({ name }) => name === limiter)
    .reduce((total, one) => total + one.holding, 0);
  return (
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

function DecisionsOverTime({ counts }: { counts: Counts }) {
  return (
    <Card title="Decisions over time">
      <Plot
        label="Decisions over time"
        times={counts.times}
        series={[
          { name: "Admitted", colour: "--admitted", counts: counts.over("admitted") },
          { name: "Near", colour: "--near", counts: counts.over("near") },
          { name: "Refused", colour: "--refused", counts: counts.over("refused") },
        ]}
      />
    </Card>
  );
}

function RefusedByLayer({ counts, layers }: { counts: Counts; layers: readonly string[] }) {
  return (
    <Card title="Refused, by layer">
      <Plot
        label="Refused, by layer"
        times={counts.times}
        series={layers.map((layer, l) => ({
          name: layer,
          colour: LAYER_COLOURS[l % LAYER_COLOURS.length] ?? "--chart-1",
          counts: counts.over("refused", layer),
        }))}
      />
    </Card>
  );
}

function layersOf({ policies }: Now, limiter: string): string[] {
  return policies.find((policy) => policy.limiter === limiter)?.layers.map(({ name }) => name) ?? [];
}
