import { type PolicyDocument, writePolicyDocument } from "headgate/policy-document";
import type { Counted } from "../counting/collector.ts";
import { addShadows } from "../counting/shadow-totals.ts";
import type {
  PolicyCheck,
  PolicyDesk,
  PolicyOrder,
  PolicyReplay,
  PolicyStanding,
} from "../policies/policy-desk.ts";
import { mistakeOfUse, readPolicyText, sentenceOf } from "../policies/read-policy.ts";
import { OperatorMistake } from "./desk.ts";
import { readPolicyOrder, readTypedPolicy } from "./orders.ts";
import type { Summaries } from "./summaries.ts";
import { type Checked, type Done, type Policies, type PolicyView, policyView } from "./view.ts";

type Desk = PolicyDesk | undefined;
type Shown = PolicyStanding & Pick<PolicyView, "layers" | "warnings">;

/** Returns the policies that the page shows, with what their shadows counted in all processes. */
export async function policiesNow(
  desk: Desk,
  limiters: readonly Counted[],
  readSummaries: () => Promise<Pick<Summaries, "all">>,
  readsOthers: boolean,
): Promise<Policies> {
  const [standings, { all }] = await Promise.all([shownPolicies(desk, limiters), readSummaries()]);
  return {
    limiters: standings.map(({ shadow, ...standing }) => ({
      ...standing,
      shadow: shadow && {
        ...shadow,
        totals: addShadows(all, standing.limiter, shadow.hash, shadow.at),
      },
    })),
    canReplay: desk?.replay !== undefined,
    readsOthers,
  };
}

/** Returns the policies in force. Policies that can be changed come first. */
async function shownPolicies(desk: Desk, limiters: readonly Counted[]): Promise<Shown[]> {
  const standings = (await desk?.list()) ?? [];
  const shown = limiters.map((limiter): Shown => {
    const standing = standings.find((one) => one.limiter === limiter.name) ?? settled(limiter);
    const { layers, warnings } = policyView(limiter);
    return { ...standing, layers, warnings };
  });
  return shown.sort((one, other) => Number(other.canChange) - Number(one.canChange));
}

/** Returns the policy of a limiter that operators cannot change. */
function settled({ name, policy }: Counted): PolicyStanding {
  return {
    limiter: name,
    canChange: false,
    hash: policy.hash,
    document: writePolicyDocument(policy),
    set: null,
    before: null,
    shadow: null,
    trouble: null,
  };
}

/** Checks the policy that an operator types: returns its mistake, or its hash and warnings. */
export async function checkPolicy(desk: Desk, body: unknown): Promise<Checked> {
  const { limiter, text } = readTypedPolicy(body);
  const read = readPolicyText(text);
  if ("mistake" in read) return read;
  const { document } = read;
  const check = (part: PolicyDocument) => checkOr(desk, limiter, part);
  const found = check(document);
  if ("check" in found) return found;
  return { mistake: mistakeOfUse(text, document, (part) => "check" in check(part), found.reason) };
}

function checkOr(
  desk: Desk,
  limiter: string,
  document: PolicyDocument,
): { check: PolicyCheck } | { reason: string } {
  try {
    return { check: needed(desk).check(limiter, document) };
  } catch (error) {
    if (error instanceof OperatorMistake) return { reason: error.message };
    throw error;
  }
}

export async function replayPolicy(desk: Desk, body: unknown): Promise<PolicyReplay> {
  const { limiter, text, lastMs } = readTypedPolicy(body);
  const { replay } = needed(desk);
  if (replay === undefined)
    throw new OperatorMistake("No decision log is kept here, so there is nothing to try the policy on.");
  return replay(limiter, documentIn(text), lastMs);
}

export async function changePolicy(
  desk: Desk,
  what: PolicyOrder["what"],
  body: unknown,
  by: string,
): Promise<Done> {
  const order: PolicyOrder = { ...readPolicyOrder(body), what };
  if (what === "live" || what === "shadow") order.document = documentIn(readTypedPolicy(body).text);
  return { said: await needed(desk).change(order, by) };
}

function needed(desk: Desk): PolicyDesk {
  if (desk !== undefined) return desk;
  throw new OperatorMistake("This console cannot change policies.");
}

function documentIn(text: string) {
  const read = readPolicyText(text);
  if ("mistake" in read) throw new OperatorMistake(sentenceOf(read.mistake));
  return read.document;
}
