import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CallerDecision, Standing } from "../src/serving/desk.ts";
import type { Features, Found, KnownRefusal } from "../src/serving/view.ts";
import { api, sentenceOf } from "./api.ts";
import { dateOf, duration, exactDateOf, limitInWords, number, untilOf } from "./format.ts";
import { announce, CallerLink, Card, fieldsOf, Table, Trouble, useAction } from "./parts.tsx";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Finds a caller by name or by a request id, because people who complain give either. */
export function CallersView({ query, features }: { query: string; features: Features }) {
  const [found, setFound] = useState<Found | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);

  // Run before the page is drawn. Later, it could replace text that the operator has begun to type.
  useLayoutEffect(() => {
    if (field.current) field.current.value = query;
  }, [query]);

  useEffect(() => {
    setFound(null);
    setTrouble(null);
    if (query === "") return;
    let isOver = false;
    api
      .find(query)
      .then((answer) => {
        if (!isOver) setFound(answer);
      })
      .catch((error: unknown) => {
        if (!isOver) setTrouble(sentenceOf(error));
      });
    return () => {
      isOver = true;
    };
  }, [query]);

  const isNobody =
    found !== null && found.refusal === null && found.ambiguous.length === 0 && found.caller === null;
  return (
    <>
      <div class="bar">
        <h1>Callers</h1>
      </div>
      <search>
        <form
          class="find"
          onSubmit={(event) => {
            const asked = fieldsOf(event)("q");
            if (asked !== "") location.hash = `callers/${encodeURIComponent(asked)}`;
          }}
        >
          <label for="q">Caller or request id</label>
          <div class="row">
            <input
              ref={field}
              id="q"
              name="q"
              type="search"
              autocomplete="off"
              spellcheck={false}
              maxLength={300}
              aria-describedby="q-hint"
            />
            <button type="submit" class="solid">
              Find
            </button>
          </div>
          <p id="q-hint" class="hint">
            {features.callers ?? "The request id from a refusal."}
          </p>
        </form>
      </search>
      {trouble && <Trouble>{trouble}</Trouble>}
      {isNobody && (
        <p class="empty" role="status">
          Nobody is known as “{query}”, and no recent refusal has this id.
        </p>
      )}
      {found !== null && found.ambiguous.length > 0 && <Ambiguous refusals={found.ambiguous} />}
      {found?.refusal && <Explained refusal={found.refusal} />}
      {found?.caller && (
        <Caller
          key={found.caller.of}
          of={found.caller.of}
          standing={found.caller.standing}
          features={features}
          onChange={(standing) => setFound({ ...found, caller: { of: found.caller?.of ?? "", standing } })}
        />
      )}
    </>
  );
}

/** Shown if several refusals have the same request id, which clients can choose. */
function Ambiguous({ refusals }: { refusals: readonly KnownRefusal[] }) {
  return (
    <Card
      title="Several refusals have this id"
      lead="Programs can choose their request ids, so several requests have this one. Ask the caller who they are, and when it happened."
    >
      <Table
        label="Refusals with this id"
        rows={refusals}
        keyOf={({ at, limiter, layer, key }) => `${at} ${limiter} ${layer} ${key}`}
        columns={[
          { head: "At", cell: ({ at }) => exactDateOf(at) },
          { head: "Caller", cell: ({ key, of }) => <CallerLink of={of} shown={key} /> },
          { head: "Limit", cell: ({ limit }) => limit },
          { head: "Limiter", cell: ({ limiter }) => limiter },
          { head: "Wait", cell: ({ waitMs }) => duration(waitMs), isNumber: true },
        ]}
      />
    </Card>
  );
}

function Explained({ refusal }: { refusal: KnownRefusal }) {
  const { at, key, of, limit, layer, limiter, plan, override } = refusal;
  return (
    <Card title="Why this request was refused">
      <p class="answer">{whyOf(refusal)}</p>
      <dl class="facts">
        <dt>When</dt>
        <dd>{exactDateOf(at)}</dd>
        <dt>Caller</dt>
        <dd>
          <CallerLink of={of} shown={key} />
          {plan !== null && `, plan ${plan}`}
        </dd>
        <dt>Limit</dt>
        <dd>
          {limit}, of the layer {layer} of {limiter}
        </dd>
        {override && (
          <>
            <dt>Decided before</dt>
            <dd>
              {override.limits}, {untilOf(override.until)}
              {override.reason && `: ${override.reason}`}
              {override.by && `, by ${override.by}`}
            </dd>
          </>
        )}
        <dt>Decided by</dt>
        <dd>
          {refusal.decidedBy}, under the policy <code>{refusal.policy}</code>
        </dd>
        <dt>Request</dt>
        <dd>
          <code>{refusal.requestId}</code>
        </dd>
      </dl>
    </Card>
  );
}

function whyOf({ reason, quota, unit, windowMs, remaining, waitMs, waitsFor }: KnownRefusal): string {
  const wait = waitMs === null ? "No wait helps." : `The wait was ${duration(waitMs)}.`;
  if (reason === "blocked") return `The caller is blocked. ${wait}`;
  if (reason === "store-unavailable")
    return "The store did not answer, and the layer’s outage policy is to refuse.";
  if (waitsFor === "holders")
    return `Requests in progress held all ${number(quota)}. ${waitMs === null ? "" : `One becomes free within ${duration(waitMs)}.`}`;
  if (reason === "cost-exceeds-quota")
    return `The request asked for more than the whole limit of ${limitInWords(quota, unit, windowMs)}.`;
  return `The caller may use ${limitInWords(quota, unit, windowMs)}, and ${remaining === 0 ? "none" : number(remaining)} were left. ${wait}`;
}

interface CallerProps {
  of: string;
  standing: Standing;
  features: Features;
  onChange: (standing: Standing) => void;
}

function Caller({ of, standing, features, onChange }: CallerProps) {
  const [busy, trouble, run] = useAction();
  const [said, setSaid] = useState<string | null>(null);
  const [when] = useState(() => Date.now());
  // A grant that is sent again after a failure keeps its id, so that the credit is added only once.
  const grant = useRef({ amount: "", id: "" });

  const decide = (decision: CallerDecision, done?: () => void) =>
    run(async () => {
      setSaid(null);
      const { said: sentence, standing: after } = await api.decide(decision);
      if (after) onChange(after);
      setSaid(sentence);
      announce(sentence);
      done?.();
    });
  const termsOf = (field: (name: string) => string) => ({
    ...(field("for") === "" ? {} : { forMs: Number(field("for")) }),
    ...(field("reason") === "" ? {} : { reason: field("reason") }),
  });
  const formOf = (event: Event) => event.currentTarget as HTMLFormElement;

  return (
    <>
      <Card title={of}>
        <p class="chips">
          {standing.plan !== null && <span class="chip">plan {standing.plan}</span>}
          {standing.blocked && <span class="chip bad">blocked</span>}
          {standing.overrides.length > 0 && !standing.blocked && <span class="chip warn">other limits</span>}
        </p>
        {!standing.shared && (
          <Trouble>
            The store does not answer. These are the counts of this process only; blocks and overrides are
            unknown.
          </Trouble>
        )}
        <Table
          label={`Limits of ${of}`}
          empty={standing.blocked ? "Every request is refused." : "Nothing limits this caller here."}
          rows={standing.blocked ? [] : standing.limits}
          keyOf={({ name }) => name}
          columns={[
            { head: "Limit", cell: ({ name }) => name },
            {
              head: "Left",
              cell: ({ remaining, quota }) => `${number(remaining)} of ${number(quota)}`,
              isNumber: true,
            },
            {
              head: "Used",
              cell: ({ remaining, quota }) => (
                <span class={remaining === 0 ? "share bad" : "share"}>
                  <i style={{ width: `${quota === 0 ? 0 : (1 - remaining / quota) * 100}%` }} />
                </span>
              ),
            },
            { head: "More in", cell: ({ resetMs }) => (resetMs ? duration(resetMs) : "–"), isNumber: true },
          ]}
        />
        {standing.overrides.map(({ layer, limits, until, reason, by }) => (
          <p key={layer} class="inforce">
            <strong>{limits}</strong> in the layer {layer}, {untilOf(until)}
            {reason && `: ${reason}`}
            {by && `, by ${by}`}
          </p>
        ))}
        <form
          onSubmit={(event) => {
            const form = formOf(event);
            const reason = fieldsOf(event)("reason");
            const what = event.submitter?.dataset.what === "end" ? "end" : "reset";
            decide({ what, of, ...(reason === "" ? {} : { reason }) }, () => form.reset());
          }}
        >
          <label for="undo-reason">Why</label>
          <input id="undo-reason" name="reason" autocomplete="off" maxLength={200} />
          <div class="row spaced">
            <button type="submit" disabled={busy}>
              Reset the quota
            </button>
            {standing.overrides.length > 0 && (
              <button type="submit" data-what="end" disabled={busy}>
                End what is in force
              </button>
            )}
          </div>
        </form>
        {trouble && <Trouble>{trouble}</Trouble>}
        {said && <p class="done">{said}</p>}
      </Card>
      <div class="cards">
        <Card title="Other limits" lead="They replace the usual limits. Units already used still count.">
          <form
            onSubmit={(event) => {
              const field = fieldsOf(event);
              decide({ what: "override", of, limits: field("limits"), ...termsOf(field) });
            }}
          >
            <label for="limits">Limits</label>
            <input
              id="limits"
              name="limits"
              required
              autocomplete="off"
              spellcheck={false}
              maxLength={500}
              placeholder="30/minute; 1000/day"
            />
            <Terms id="override" when={when} />
            <button type="submit" class="solid" disabled={busy}>
              Set the limits
            </button>
          </form>
        </Card>
        <Card title="Block" lead="Every process refuses every request from now on.">
          <form
            onSubmit={(event) => {
              const field = fieldsOf(event);
              decide({ what: "block", of, ...termsOf(field) });
            }}
          >
            <Terms id="block" when={when} />
            <button type="submit" class="danger" disabled={busy}>
              Block
            </button>
          </form>
        </Card>
        {features.credit !== null && /^(account:|[^:]+@)/.test(of) && (
          <Card title="Credit" lead="Granted credit does not expire at the end of the month.">
            <form
              onSubmit={(event) => {
                const form = formOf(event);
                const field = fieldsOf(event);
                const amount = field("amount");
                run(async () => {
                  setSaid(null);
                  if (grant.current.amount !== amount) grant.current = { amount, id: newId() };
                  const { said: sentence } = await api.grant(of, amount, grant.current.id, field("reason"));
                  grant.current = { amount: "", id: "" };
                  setSaid(sentence);
                  announce(sentence);
                  form.reset();
                });
              }}
            >
              <label for="amount">Amount in {features.credit}</label>
              <input
                id="amount"
                name="amount"
                required
                inputMode="decimal"
                autocomplete="off"
                maxLength={20}
              />
              <label for="grant-reason">Why</label>
              <input id="grant-reason" name="reason" autocomplete="off" maxLength={200} />
              <button type="submit" disabled={busy}>
                Grant
              </button>
            </form>
          </Card>
        )}
      </div>
    </>
  );
}

/** Browsers have `randomUUID` only on pages served over TLS. */
function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** The fields for the end and the reason. */
function Terms({ id, when }: { id: string; when: number }) {
  return (
    <>
      <label for={`${id}-for`}>Until</label>
      <select id={`${id}-for`} name="for">
        <option value={HOUR_MS}>In an hour, {dateOf(when + HOUR_MS)}</option>
        <option value={DAY_MS} selected>
          Tomorrow, {dateOf(when + DAY_MS)}
        </option>
        <option value={7 * DAY_MS}>In 7 days, {dateOf(when + 7 * DAY_MS)}</option>
        <option value={30 * DAY_MS}>In 30 days, {dateOf(when + 30 * DAY_MS)}</option>
        <option value="">Until I end it</option>
      </select>
      <label for={`${id}-reason`}>Why</label>
      <input id={`${id}-reason`} name="reason" autocomplete="off" maxLength={200} />
    </>
  );
}
