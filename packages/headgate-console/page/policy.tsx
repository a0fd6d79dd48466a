import { useEffect, useState } from "preact/hooks";
import type { PolicyView } from "../src/serving/view.ts";
import { api, sentenceOf } from "./api.ts";
import { Card, Table, Trouble } from "./parts.tsx";

/** What is in force in the process that answers. */
export function PoliciesView() {
  const [policies, setPolicies] = useState<readonly PolicyView[]>([]);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    api
      .now()
      .then((now) => setPolicies(now.policies))
      .catch((error: unknown) => setTrouble(sentenceOf(error)));
  }, []);
  return (
    <>
      <div class="bar">
        <h1>Policy</h1>
      </div>
      {trouble && <Trouble>{trouble}</Trouble>}
      <div class="cards">
        {policies.map(({ limiter, hash, layers, warnings }) => (
          <Card
            key={limiter}
            title={limiter}
            lead={
              <>
                Policy <code>{hash}</code>, as this process has it from its settings.
              </>
            }
          >
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
          </Card>
        ))}
      </div>
    </>
  );
}
