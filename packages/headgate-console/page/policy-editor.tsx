import { useEffect, useRef, useState } from "preact/hooks";
import type { PolicyReplay } from "../src/policies/policy-desk.ts";
import type { Checked, LimiterPolicies } from "../src/serving/view.ts";
import { api, type PolicyAction, sentenceOf } from "./api.ts";
import { announce, Card, fieldsOf, Trouble, useAction } from "./parts.tsx";
import { ReplayCard } from "./policy-replay.tsx";

/** The edited text, and the policy that it started from. Kept while the operator visits other parts of the page. */
interface Draft {
  text: string;
  from: string;
}

const drafts = new Map<string, Draft>();
const CHECK_AFTER_MS = 300;
const HOUR_MS = 3_600_000;
const PERIODS = [
  { name: "the last hour", ms: HOUR_MS },
  { name: "the last day", ms: 24 * HOUR_MS },
  { name: "the last 7 days", ms: 168 * HOUR_MS },
  { name: "all that is kept", ms: undefined },
] as const;

const draftOf = ({ document, hash }: Pick<LimiterPolicies, "document" | "hash">): Draft => ({
  text: JSON.stringify(document, null, 2),
  from: hash,
});

interface EditorProps {
  policy: LimiterPolicies;
  canReplay: boolean;
  onChange: () => Promise<void>;
}

/** The form to edit a policy, try it on the log or as a shadow, and make it live. */
export function PolicyEditor({ policy, canReplay, onChange }: EditorProps) {
  const { limiter } = policy;
  const [draft, setDraft] = useState(() => drafts.get(limiter) ?? draftOf(policy));
  const [busy, trouble, run] = useAction();
  const [said, setSaid] = useState<string | null>(null);
  const [replayed, setReplayed] = useState<{ replay: PolicyReplay; text: string } | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const checked = useCheck(limiter, draft.text, policy.hash);
  const hasMistake = checked !== null && "mistake" in checked;
  const isInForce = checked !== null && "check" in checked && checked.check.isInForce;

  const put = (next: Draft) => {
    drafts.set(limiter, next);
    setDraft(next);
  };
  const loadInForce = () => {
    put(draftOf(policy));
    area.current?.focus();
  };
  const change = (what: PolicyAction, reason: string, done?: () => void) =>
    run(async () => {
      setSaid(null);
      const { text, from } = draft;
      const fromShadow = policy.shadow?.hash ?? null;
      const because = reason === "" ? {} : { reason };
      const { said: sentence } = await api.changePolicy(what, {
        limiter,
        text,
        from,
        fromShadow,
        ...because,
      });
      if (what === "live") drafts.delete(limiter);
      done?.();
      setSaid(sentence);
      announce(sentence);
      await onChange();
    });

  // The next change starts from the policy that was just made live.
  const isUnchanged = !drafts.has(limiter);
  useEffect(() => {
    if (isUnchanged) setDraft(draftOf(policy));
  }, [isUnchanged, policy.hash]);

  return (
    <>
      <Card
        title="Another policy"
        lead="Change the JSON. Try it on past traffic and as a shadow, which refuses nobody, before you make it live."
      >
        {draft.from !== policy.hash && (
          <div class="inforce">
            <p>
              You started from policy <code>{draft.from}</code>, and <code>{policy.hash}</code> is in force by
              now.
            </p>
            <button type="button" onClick={loadInForce}>
              Load the policy in force
            </button>
          </div>
        )}
        <form
          onSubmit={(event) => {
            const form = event.currentTarget as HTMLFormElement;
            const reason = fieldsOf(event)("reason");
            change("live", reason, () => form.reset());
          }}
        >
          <label for="policy">Policy as JSON</label>
          <textarea
            ref={area}
            id="policy"
            rows={Math.min(24, Math.max(8, draft.text.split("\n").length + 1))}
            spellcheck={false}
            autocapitalize="off"
            autocomplete="off"
            value={draft.text}
            aria-invalid={hasMistake}
            aria-describedby="policy-state policy-hint"
            onInput={(event) => put({ ...draft, text: event.currentTarget.value })}
          />
          <p id="policy-hint" class="hint">
            Each layer has a name and limits, such as "5/minute; 100000 tokens/day"; or plans with a
            defaultPlan.
          </p>
          <PolicyState checked={checked} area={area} />
          <div class="steps">
            <Replay
              canReplay={canReplay}
              disabled={busy || hasMistake}
              onReplay={(lastMs) =>
                run(async () => {
                  const replay = await api.replayPolicy(limiter, draft.text, lastMs);
                  setReplayed({ replay, text: draft.text });
                  announce("The policy was tried on the log.");
                })
              }
            />
            <button
              type="button"
              disabled={busy || hasMistake || isInForce}
              onClick={() => change("shadow", "")}
            >
              {policy.shadow ? "Run this as the shadow instead" : "Start as a shadow"}
            </button>
          </div>
          <label for="reason">Why make it live</label>
          <div class="row">
            <input id="reason" name="reason" required maxLength={200} autocomplete="off" />
            <button type="submit" class="solid" disabled={busy || hasMistake || isInForce}>
              Make live
            </button>
          </div>
        </form>
        {trouble && <Trouble>{trouble}</Trouble>}
        {said && <p class="done">{said}</p>}
      </Card>
      {replayed && <ReplayCard replay={replayed.replay} isOld={replayed.text !== draft.text} />}
    </>
  );
}

/** Lets the service check the text after a pause in typing. Returns `null` until the result arrives. */
function useCheck(limiter: string, text: string, hash: string): Checked | null {
  const [checked, setChecked] = useState<Checked | null>(null);
  useEffect(() => {
    let isOver = false;
    const timer = setTimeout(async () => {
      const answer = await api.checkPolicy(limiter, text).catch(
        (error: unknown): Checked => ({
          mistake: { line: 0, column: 0, field: "", message: sentenceOf(error) },
        }),
      );
      if (!isOver) setChecked(answer);
    }, CHECK_AFTER_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [limiter, text, hash]);
  return checked;
}

/** Shows the result of the check. */
function PolicyState({
  checked,
  area,
}: {
  checked: Checked | null;
  area: { current: HTMLTextAreaElement | null };
}) {
  const mistake = checked !== null && "mistake" in checked ? checked.mistake : null;
  const check = checked !== null && "check" in checked ? checked.check : null;
  const goTo = (line: number) => {
    const element = area.current;
    if (element === null) return;
    const lines = element.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
    element.focus();
    element.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  };
  return (
    <div id="policy-state" role="status" class={mistake ? "state bad" : "state"}>
      {mistake && (
        <>
          <p>
            {mistake.line > 0 && <strong>Line {mistake.line}: </strong>}
            {mistake.field !== "" && <code>{mistake.field}</code>} {mistake.message}
          </p>
          {mistake.line > 0 && (
            <button type="button" onClick={() => goTo(mistake.line)}>
              Go to line {mistake.line}
            </button>
          )}
        </>
      )}
      {check && (
        <p>
          {check.isInForce ? "This is the policy in force." : "Valid. It would be policy "}
          {!check.isInForce && <code>{check.hash}</code>}
        </p>
      )}
      {check?.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
    </div>
  );
}

interface ReplayProps {
  canReplay: boolean;
  disabled: boolean;
  onReplay: (lastMs: number | undefined) => void;
}

function Replay({ canReplay, disabled, onReplay }: ReplayProps) {
  const [period, setPeriod] = useState(1);
  if (!canReplay)
    return (
      <p class="hint">
        This service keeps no decision log, so there is no past traffic for a trial. In the chat service, set
        DECISION_LOG to keep a decision log.
      </p>
    );
  return (
    <div class="row">
      <label>
        <span class="unseen">Past traffic</span>
        <select value={period} onChange={(event) => setPeriod(Number(event.currentTarget.value))}>
          {PERIODS.map(({ name }, p) => (
            <option key={name} value={p}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" disabled={disabled} onClick={() => onReplay(PERIODS[period]?.ms)}>
        Try on the log
      </button>
    </div>
  );
}
