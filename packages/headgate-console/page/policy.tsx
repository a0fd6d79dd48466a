import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { LimiterPolicies, Policies } from "../src/serving/view.ts";
import { api, sentenceOf } from "./api.ts";
import { dateOf } from "./format.ts";
import { announce, Card, fieldsOf, Table, Trouble, useAction } from "./parts.tsx";
import { PolicyEditor } from "./policy-editor.tsx";
import { ShadowCard } from "./policy-shadow.tsx";

const EVERY_MS = 2_000;

/** Polls the policies, because another operator may change them. */
function usePolicies(): [Policies | null, string | null, () => Promise<void>] {
  const [policies, setPolicies] = useState<Policies | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const load = useCallback(async () => {
    try {
      setPolicies(await api.policies());
      setTrouble(null);
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  }, []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const again = async () => {
      if (!document.hidden) await load();
      if (!isOver) timer = setTimeout(again, EVERY_MS);
    };
    void again();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [load]);
  return [policies, trouble, load];
}

/** @param limiter the limiter whose policy to show; if empty, all policies */
export function PoliciesView({ limiter }: { limiter: string }) {
  const [policies, trouble, load] = usePolicies();
  if (policies === null) return trouble ? <Trouble>{trouble}</Trouble> : <p class="empty">Loading …</p>;
  const one = policies.limiters.find((policy) => policy.limiter === limiter);
  return (
    <>
      {trouble && <Trouble>{trouble}</Trouble>}
      {one === undefined ? (
        <AllPolicies policies={policies.limiters} />
      ) : (
        <OnePolicy key={one.limiter} policy={one} policies={policies} onChange={load} />
      )}
    </>
  );
}

function AllPolicies({ policies }: { policies: readonly LimiterPolicies[] }) {
  return (
    <>
      <div class="bar">
        <h1>Policy</h1>
      </div>
      <div class="cards">
        {policies.map((policy) => (
          <Card key={policy.limiter} title={policy.limiter} lead={<Origin policy={policy} />}>
            {policy.shadow && (
              <p class="chips">
                <span class="chip warn">a shadow runs</span>
              </p>
            )}
            <Limits policy={policy} />
            {policy.canChange && (
              <div class="row">
                <a
                  class="button"
                  href={`#policy/${encodeURIComponent(policy.limiter)}`}
                  aria-label={`Change the policy of ${policy.limiter}`}
                >
                  Change
                </a>
              </div>
            )}
          </Card>
        ))}
      </div>
    </>
  );
}

interface OneProps {
  policy: LimiterPolicies;
  policies: Policies;
  onChange: () => Promise<void>;
}

function OnePolicy({ policy, policies, onChange }: OneProps) {
  return (
    <>
      <div class="bar">
        <h1>Policy of {policy.limiter}</h1>
        <a class="button" href="#policy">
          All policies
        </a>
      </div>
      <Card title="In force" lead={<Origin policy={policy} />}>
        <Limits policy={policy} />
        <RollBack policy={policy} onChange={onChange} />
      </Card>
      {policy.shadow && (
        <ShadowCard
          policy={policy}
          shadow={policy.shadow}
          readsOthers={policies.readsOthers}
          onChange={onChange}
        />
      )}
      {policy.canChange ? (
        <PolicyEditor policy={policy} canReplay={policies.canReplay} onChange={onChange} />
      ) : (
        <p class="empty">The policy of {policy.limiter} cannot be changed here.</p>
      )}
    </>
  );
}

/** Shows where the policy in force comes from. */
function Origin({ policy: { hash, set, trouble } }: { policy: LimiterPolicies }) {
  if (trouble !== null)
    return (
      <>
        Policy <code>{hash}</code>, because the policy that was set cannot be used.
      </>
    );
  return (
    <>
      Policy <code>{hash}</code>,{" "}
      {set === null ? "from the settings." : `set by ${set.by} on ${dateOf(set.at)}`}
      {set?.reason && `: ${set.reason}`}
    </>
  );
}

function Limits({ policy: { limiter, layers, warnings, trouble } }: { policy: LimiterPolicies }) {
  return (
    <>
      {trouble && <Trouble>{trouble}</Trouble>}
      <Table
        label={`Policy of ${limiter}`}
        rows={layers.flatMap(({ name, limits }) => limits.map((one) => ({ name, ...one })))}
        keyOf={({ name, plan }) => `${name} ${plan}`}
        columns={[
          { head: "Layer", cell: ({ name }) => name },
          { head: "Plan", cell: ({ plan }) => plan ?? "–" },
          { head: "Limits", cell: ({ limits }) => limits, isProse: true },
        ]}
      />
      {warnings.map((warning) => (
        <p key={warning} class="hint">
          {warning}
        </p>
      ))}
    </>
  );
}

function RollBack({ policy, onChange }: { policy: LimiterPolicies; onChange: () => Promise<void> }) {
  const { limiter, hash, before, canChange } = policy;
  const [busy, trouble, run] = useAction();
  const [said, setSaid] = useState<string | null>(null);
  // The policy that was shown when the operator began to type the reason. Another policy may be in force when the form
  // is sent.
  const began = useRef<string | null>(null);
  const target = before?.isOfSettings ? "the policy of the settings" : `policy ${before?.hash}`;
  return (
    <>
      {canChange && before !== null && (
        <form
          onSubmit={(event) => {
            const form = event.currentTarget as HTMLFormElement;
            const reason = fieldsOf(event)("reason");
            run(async () => {
              setSaid(null);
              const from = began.current ?? hash;
              began.current = null;
              const { said: sentence } = await api.changePolicy("roll-back", { limiter, from, reason });
              form.reset();
              setSaid(sentence);
              announce(sentence);
              await onChange();
            });
          }}
        >
          <label for="back-reason">Why roll back to {target}</label>
          <div class="row">
            <input
              id="back-reason"
              name="reason"
              required
              maxLength={200}
              autocomplete="off"
              onInput={() => {
                began.current ??= hash;
              }}
            />
            <button type="submit" class="danger" disabled={busy}>
              Roll back
            </button>
          </div>
        </form>
      )}
      {trouble && <Trouble>{trouble}</Trouble>}
      {said && <p class="done">{said}</p>}
    </>
  );
}
