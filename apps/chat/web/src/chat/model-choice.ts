import type { Me } from "../../../contract.ts";
import { observable } from "../design/observable.ts";
import { readStored, writeStored } from "../design/storage.ts";

const key = "headgate-model";

/** The model chosen on this page; `null` if none was chosen. */
export const chosenModel = observable<string | null>(readStored(key));

export function chooseModel(name: string): void {
  chosenModel.set(name);
  writeStored(key, name);
}

/**
 * Returns the model that a message names; `undefined` for the default model, or for a model that is no longer offered.
 */
export function modelToName(me: Pick<Me, "models"> | null, chosen: string | null): string | undefined {
  const offered = me?.models ?? [];
  return chosen !== null && chosen !== offered[0] && offered.includes(chosen) ? chosen : undefined;
}
