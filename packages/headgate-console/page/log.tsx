import { useEffect, useState } from "preact/hooks";
import type { Change } from "../src/serving/desk.ts";
import type { Changes, Features } from "../src/serving/view.ts";
import { api, exportAs, sentenceOf } from "./api.ts";
import { dateOf, untilOf } from "./format.ts";
import { announce, CallerLink, Card, type Column, fieldsOf, Table, Trouble, useAction } from "./parts.tsx";

const caller: Column<Change> = {
  head: "Of",
  cell: ({ of, what, after }) =>
    after === undefined && what !== "setting" ? (
      <CallerLink of={nameIn(of)} shown={of} />
    ) : (
      <span class="key">{of}</span>
    ),
};
const details: Column<Change>[] = [
  {
    head: "Value",
    cell: (change) => change.limits ?? <PolicyChanged {...change} />,
    isProse: true,
  },
  { head: "Until", cell: untilIn },
  { head: "Why", cell: ({ reason }) => reason ?? "–", isProse: true },
  { head: "By", cell: ({ by }) => by ?? "–" },
];
const DONE: Record<string, string> = {
  block: "blocked",
  override: "other limits",
  end: "ended",
  reset: "quota reset",
  unconfirmed: "not confirmed",
  grant: "credit granted",
  "set-credit": "credit set",
  code: "code issued",
  convert: "credit converted",
  plan: "plan set",
  invite: "account made",
  "reset-link": "password link issued",
  setting: "setting changed",
  live: "policy made live",
  "roll-back": "policy rolled back",
  shadow: "shadow started",
  "end-shadow": "shadow ended",
  plans: "plans changed",
};

/** The end of a block, an override or a code. */
function untilIn({ what, until }: Change): string {
  if (what === "block" || what === "override" || what === "unconfirmed")
    return untilOf(until).replace(/^until /, "");
  if (what === "code") return until === null ? "for good" : untilOf(until).replace(/^until /, "");
  return "–";
}

/** The hashes before and after a change of policy. */
function PolicyChanged({ before = null, after = null }: Pick<Change, "before" | "after">) {
  if (before === null && after === null) return <>–</>;
  const shown = (hash: string | null) => (hash === null ? "none" : <code>{hash}</code>);
  return (
    <>
      {shown(before)} → {shown(after)}
    </>
  );
}

/** Shows blocks and overrides in force, and the actions of operators. */
export function LogView({ features }: { features: Features }) {
  const [changes, setChanges] = useState<Changes | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const load = () => {
    api
      .changes()
      .then(setChanges)
      .catch((error: unknown) => setTrouble(sentenceOf(error)));
  };
  useEffect(load, []);
  return (
    <>
      <div class="bar">
        <h1>Log</h1>
        <a class="button" href={exportAs("csv")} download>
          CSV
        </a>
        <a class="button" href={exportAs("json")} download>
          JSON
        </a>
      </div>
      {trouble && <Trouble>{trouble}</Trouble>}
      {changes && (
        <div class="cards">
          <Card title="In force" wide>
            <Table
              label="In force"
              empty="No caller is blocked or has other limits."
              rows={changes.inForce}
              keyOf={({ of, at }) => `${of} ${at}`}
              columns={[caller, { head: "What", cell: ({ what }) => DONE[what] ?? what }, ...details]}
            />
          </Card>
          <Card title="Actions" lead="The newest first." wide>
            <Table
              label="Actions"
              empty="No actions yet."
              rows={changes.log}
              keyOf={({ of, at, what, after }) => `${of} ${at} ${what} ${after}`}
              columns={[
                { head: "At", cell: ({ at }) => dateOf(at) },
                { head: "What", cell: ({ what }) => DONE[what] ?? what },
                caller,
                ...details,
              ]}
            />
          </Card>
          {features.credit !== null && <Codes currency={features.credit} onIssued={load} />}
        </div>
      )}
    </>
  );
}

function Codes({ currency, onIssued }: { currency: string; onIssued: () => void }) {
  const [busy, trouble, run] = useAction();
  const [code, setCode] = useState<string | null>(null);
  return (
    <Card title="Top-up code" lead="Anyone with the code can add its amount to one account, once.">
      <form
        onSubmit={(event) => {
          const form = event.currentTarget as HTMLFormElement;
          const field = fieldsOf(event);
          run(async () => {
            setCode(null);
            const days = field("days") === "" ? undefined : Number(field("days"));
            const { code: issued = "", said } = await api.issueCode(field("amount"), days, field("reason"));
            setCode(issued);
            announce(`${issued}. ${said}`);
            form.reset();
            onIssued();
          });
        }}
      >
        <label for="worth">Amount in {currency}</label>
        <input id="worth" name="amount" required inputMode="decimal" autocomplete="off" maxLength={20} />
        <label for="days">Valid for how many days (empty: no end)</label>
        <input id="days" name="days" inputMode="numeric" pattern="[0-9]{1,4}" autocomplete="off" />
        <label for="code-reason">Why</label>
        <input id="code-reason" name="reason" autocomplete="off" maxLength={200} />
        <button type="submit" disabled={busy}>
          Issue
        </button>
      </form>
      {trouble && <Trouble>{trouble}</Trouble>}
      {code !== null && (
        <p class="done">
          <code>{code}</code> It is shown only now.
        </p>
      )}
    </Card>
  );
}

/** Returns the caller that a log line is about, or `null` if it is about something else. */
function nameIn(of: string): string | null {
  return /[:@]/.test(of) || !of.includes(" ") ? of : null;
}
