import { useEffect, useRef } from "preact/hooks";
import type { PolicyReplay, ReplayedGroup } from "../src/policies/policy-desk.ts";
import { counted, dateOf, duration, number, percent } from "./format.ts";
import { Card, Table } from "./parts.tsx";

/** Shows what a policy would have done to past traffic. */
export function ReplayCard({ replay, isOld }: { replay: PolicyReplay; isOld: boolean }) {
  const { decisions, callers, from, to, logged, replayed, newlyRefused, newlyAdmitted, cutShort } = replay;
  const { byLimit, callersMost, caveats } = replay;
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => top.current?.scrollIntoView({ block: "nearest" }), [replay]);
  const rows: { name: string; log: ReplayedGroup | null; tried: ReplayedGroup }[] = [
    { name: "Admitted", log: logged.admitted, tried: replayed.admitted },
    { name: "Refused", log: logged.refused, tried: replayed.refused },
    { name: "Newly refused", log: null, tried: newlyRefused },
    { name: "Newly let in", log: null, tried: newlyAdmitted },
    ...(cutShort.decisions > 0 ? [{ name: "Cut short", log: null, tried: cutShort }] : []),
  ];
  return (
    <div ref={top} class="cards">
      <Card
        wide
        title="On past traffic"
        lead={`${counted(decisions, "request")} of ${counted(callers, "caller")}, ${dateOf(from)} to ${dateOf(to)}.`}
      >
        {isOld && <p class="inforce">The policy has changed since this trial: try it again.</p>}
        <p class="answer">{answerOf(replay)}</p>
        <Table
          label="On past traffic"
          rows={rows}
          keyOf={({ name }) => name}
          columns={[
            { head: "Requests", cell: ({ name }) => name },
            {
              head: "In the log",
              cell: ({ log }) => (log === null ? "–" : number(log.decisions)),
              isNumber: true,
            },
            { head: "Tried", cell: ({ tried }) => number(tried.decisions), isNumber: true },
            { head: "Callers", cell: ({ tried }) => number(tried.callers), isNumber: true },
          ]}
        />
      </Card>
      <Card title="Refused by" lead={waitsOf(replay)}>
        <Table
          label="Refused by"
          empty="Nothing would be refused."
          rows={byLimit}
          keyOf={({ limit }) => limit}
          columns={[
            { head: "Limit", cell: ({ limit }) => limit },
            { head: "Refused", cell: ({ refused }) => number(refused), isNumber: true },
            { head: "Newly", cell: ({ newlyRefused: newly }) => number(newly), isNumber: true },
          ]}
        />
      </Card>
      <Card
        title="Callers concerned"
        lead="The callers with the most changes: how many of their requests are newly refused and newly let in. The log has pseudonyms, not names."
      >
        <Table
          label="Callers concerned"
          empty="Nothing changes for any caller."
          rows={callersMost}
          keyOf={({ layer, partition }) => `${layer} ${partition}`}
          columns={[
            {
              head: "Caller",
              cell: ({ layer, partition }) => (
                <span class="key" title={partition}>
                  {layer} {partition}
                </span>
              ),
            },
            { head: "Refused", cell: (one) => number(one.newlyRefused), isNumber: true },
            { head: "Let in", cell: (one) => number(one.newlyAdmitted), isNumber: true },
            { head: "Of", cell: (one) => number(one.decisions), isNumber: true },
          ]}
        />
      </Card>
      <Card wide title="What is not known">
        <ul>
          {caveats.map((caveat) => (
            <li key={caveat}>{caveat}</li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

function waitsOf({ replayed: { refused }, waits }: PolicyReplay): string | undefined {
  const { median, most, hopeless } = waits;
  if (refused.decisions === 0) return undefined;
  if (hopeless === refused.decisions) return "No wait helps for any refusal.";
  const never = hopeless > 0 ? ` For ${number(hopeless)} no wait helps.` : "";
  return `Waits: ${duration(median)} at the median, ${duration(most)} at most.${never}`;
}

function answerOf({ decisions, newlyRefused, newlyAdmitted }: PolicyReplay): string {
  const refused = `${counted(newlyRefused.decisions, "request")} of ${counted(newlyRefused.callers, "caller")} would be newly refused (${percent(newlyRefused.decisions, decisions)})`;
  const admitted = `${counted(newlyAdmitted.decisions, "request")} of ${counted(newlyAdmitted.callers, "caller")} newly let in`;
  if (newlyRefused.decisions === 0 && newlyAdmitted.decisions === 0) return "Nothing would change.";
  if (newlyAdmitted.decisions === 0) return `${refused}.`;
  if (newlyRefused.decisions === 0) return `${admitted.replace("newly", "would be newly")}.`;
  return `${refused}, and ${admitted}.`;
}
