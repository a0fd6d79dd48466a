import { HeadgateError } from "./errors.ts";
import { show } from "./show.ts";

/** What a layer does while its store cannot answer, as a policy takes it. */
export type OutageOption = "local" | "admit" | "refuse" | { policy: "local"; share?: number };

/** The same, checked. */
export type OutagePolicy =
  /** This process counts by itself, up to `share` of each quota: above 0, at most 1. */
  | { readonly policy: "local"; readonly share: number }
  /** Everybody passes, uncounted. */
  | { readonly policy: "admit" }
  /** Nobody passes. */
  | { readonly policy: "refuse" };

/**
 * @param layer the layer's name, for the message.
 * @throws HeadgateError `policy-invalid`, naming the layer and the value.
 */
export function defineOutagePolicy(layer: string, option: OutageOption | undefined): OutagePolicy {
  if (option === undefined || option === "local") return { policy: "local", share: 1 };
  if (option === "admit" || option === "refuse") return { policy: option };
  if (typeof option !== "object" || option === null || option.policy !== "local") {
    throw new HeadgateError(
      "policy-invalid",
      `The outage policy of layer "${layer}" must be "local", "admit", "refuse" or ` +
        `{ policy: "local", share: 0.1 }, got ${show(option)}.`,
    );
  }
  const { share = 1 } = option;
  if (typeof share !== "number" || !(share > 0 && share <= 1)) {
    throw new HeadgateError(
      "policy-invalid",
      `The share of layer "${layer}" must be a number above 0 and at most 1, got ${show(share)}.`,
    );
  }
  return { policy: "local", share };
}
