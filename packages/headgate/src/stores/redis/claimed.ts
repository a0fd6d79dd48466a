import { type Claim, withoutRequests } from "../../core/claim.ts";
import type { Charge, Hold, Outcome } from "../../core/store.ts";
import { type Ask, bySlot, decideAcross, inOneSlot, merge } from "./slots.ts";

type Keyed = Charge & { readonly storedKey: string };

/**
 * Decides a request that claims an id. Where all its keys are in one slot, that is one call. Else the slot that keeps the claim is
 * asked first, and charged; then the others, together. If they refuse, the first gives its share back, and the id is free again.
 */
export async function decideClaimed(
  charges: readonly Keyed[],
  at: number,
  hold: Hold,
  claim: Claim,
  ask: Ask,
  cluster: boolean,
): Promise<Outcome> {
  const shares = cluster ? bySlot(charges) : inOneSlot(charges);
  const first = shares.find(({ parts }) =>
    parts.some(({ space, key }) => space === claim.space && key === claim.key),
  );
  if (first === undefined) throw new Error("A claim is kept with one of the partitions that are charged.");
  const { slot, keys, parts, places } = first;
  const undoable = shares.length > 1;
  const outcome = await ask(slot, { do: "decide", at, keys, parts, hold, claim, undoable });
  if (shares.length === 1 || outcome.known !== undefined) return outcome;

  const { admitted, attempt = 1 } = outcome;
  const asked = attempt > 1 ? withoutRequests(charges) : charges;
  const share = (of: readonly number[]) => ({
    places: [...of],
    parts: of.map((place) => asked[place] as Keyed),
  });
  const mine = share(places);
  const others = share([...charges.keys()].filter((place) => !places.includes(place)));
  // If it cannot be given back it stays charged, which refuses too much rather than admit too much.
  const giveBack = async (): Promise<Outcome> => {
    const undo = { do: "undo", at, keys, parts: mine.parts, hold, outcome, claim } as const;
    const undone = await ask(slot, undo).catch(() => outcome);
    return { ...undone, marks: [] };
  };
  try {
    const rest = await decideAcross(others.parts, at, !admitted, hold, ask);
    if (rest.admitted && admitted) return { ...merge([mine, others], [outcome, rest], true), attempt };
    return merge([mine, others], [admitted ? await giveBack() : outcome, rest], false);
  } catch (error) {
    if (admitted) await giveBack();
    throw error;
  }
}
