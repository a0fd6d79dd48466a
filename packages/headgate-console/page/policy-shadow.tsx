import { useState } from "preact/hooks";
import type { LimiterPolicies } from "../src/serving/view.ts";
import { api } from "./api.ts";
import { counted, dateOf, number, percent } from "./format.ts";
import { announce, Card, Table, Trouble, useAction } from "./parts.tsx";

interface ShadowProps {
  policy: LimiterPolicies;
  shadow: NonNullable<LimiterPolicies["shadow"]>;
  readsOthers: boolean;
  onChange: () => Promise<void>;
}

/** Compares the shadow with the policy in force, for the same requests. */
export function ShadowCard({ policy, shadow, readsOthers, onChange }: ShadowProps) {
  const [busy, trouble, run] = useAction();
  const [isTextShown, setTextShown] = useState(false);
  const { limiter, hash } = policy;
  const { totals } = shadow;
  const { decisions, newlyRefused, stillRefused, newlyAdmitted, wouldRefuse } = totals;
  const refused = stillRefused + newlyAdmitted;
  const notes = [
    totals.overridden > 0 &&
      `${counted(totals.overridden, "request")} of callers under an override or a block`,
    totals.undecided > 0 && `${counted(totals.undecided, "request")} that the shadow could not decide`,
  ].filter((note) => note !== false);
  return (
    <Card
      title="Shadow"
      lead={
        <>
          Policy <code>{shadow.hash}</code>, started by {shadow.by} on {dateOf(shadow.at)}, in{" "}
          {counted(totals.processes, "process", "processes")}
          {readsOthers ? "" : " (only this process is counted)"}. It refuses nobody.
        </>
      }
    >
      <p class="answer">
        {decisions === 0
          ? "It has not decided any request yet."
          : `It would refuse ${number(wouldRefuse)} of ${counted(decisions, "request")} (${percent(wouldRefuse, decisions)}), ${number(newlyRefused)} of them newly.`}
      </p>
      <Table
        label="Shadow and policy in force"
        rows={[
          { name: "Requests", inForce: decisions, candidate: decisions },
          { name: "Refused", inForce: refused, candidate: wouldRefuse },
          { name: "Refused only by this policy", inForce: newlyAdmitted, candidate: newlyRefused },
          { name: "Refused by both", inForce: stillRefused, candidate: stillRefused },
        ]}
        keyOf={({ name }) => name}
        columns={[
          { head: "Decisions", cell: ({ name }) => name },
          { head: "In force", cell: ({ inForce }) => number(inForce), isNumber: true },
          { head: "Shadow", cell: ({ candidate }) => number(candidate), isNumber: true },
        ]}
      />
      {totals.layers.length > 1 && (
        <Table
          label="Shadow by layer"
          rows={totals.layers}
          keyOf={({ layer, plan }) => `${layer} ${plan}`}
          columns={[
            { head: "Layer", cell: ({ layer, plan }) => (plan === null ? layer : `${layer}, plan ${plan}`) },
            { head: "Requests", cell: (row) => number(row.decisions), isNumber: true },
            { head: "Would refuse", cell: (row) => number(row.wouldRefuse), isNumber: true },
            { head: "Newly", cell: (row) => number(row.newlyRefused), isNumber: true },
          ]}
        />
      )}
      {notes.length > 0 && <p class="hint">Not counted: {notes.join("; ")}.</p>}
      <div class="row">
        <button
          type="button"
          disabled={busy}
          onClick={() =>
            run(async () => {
              const order = { limiter, from: hash, fromShadow: shadow.hash };
              const { said } = await api.changePolicy("end-shadow", order);
              announce(said);
              await onChange();
            })
          }
        >
          End the shadow
        </button>
        <button type="button" aria-expanded={isTextShown} onClick={() => setTextShown(!isTextShown)}>
          {isTextShown ? "Hide its JSON" : "Show its JSON"}
        </button>
      </div>
      {isTextShown && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions need keyboard focus
        <pre tabIndex={0}>{JSON.stringify(shadow.document, null, 2)}</pre>
      )}
      {trouble && <Trouble>{trouble}</Trouble>}
    </Card>
  );
}
