import type { RefusalProblem } from "./refusal.ts";

/** What a problem begins with, up to the sentence for a person: few differ, and most refusals are of one kind. */
let lastType = "";
let lastStatus = 0;
let lastBeginning = "";

/**
 * What `JSON.stringify` makes of a problem. In a flood of refused requests writing it is much of the work, and of its
 * members only a few differ from one to the next.
 */
export function problemJson(problem: RefusalProblem): string {
  if (problem.status !== lastStatus || problem.type !== lastType) {
    const { type, title, status } = problem;
    lastType = type;
    lastStatus = status;
    lastBeginning = JSON.stringify({ type, title, status }).slice(0, -1);
  }
  const { detail, error, retry_after_seconds: seconds, waits_for: waits, affordable } = problem;
  let violated = "";
  for (const name of problem["violated-policies"]) violated += `${violated && ","}${quoted(name)}`;
  let units = "";
  for (const unit in affordable) units += `${units && ","}${quoted(unit)}:${numberJson(affordable[unit])}`;
  return `${lastBeginning},"detail":${quoted(detail)},"violated-policies":[${violated}],"error":"${error}","retry_after_seconds":${numberJson(seconds)},"waits_for":"${waits}","affordable":{${units}}}`;
}

/** JSON knows no other numbers. */
function numberJson(value: number | null | undefined): number | null {
  return Number.isFinite(value) ? (value as number) : null;
}

/** Nearly every text is the same in JSON, and checking that takes less time than writing it as JSON. */
function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

const plain = /^[ !#-[\]-~]*$/;
