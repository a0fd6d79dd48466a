import { HeadgateError } from "./errors.ts";
import { checkOptions } from "./options.ts";
import { show } from "./show.ts";

/** What a layer does while its store cannot answer, as written in a policy. */
export type OutageOption = "local" | "admit" | "refuse" | { policy: "local"; instances?: number };

/** An outage policy that has been checked. */
export type OutagePolicy =
  /**
   * This process counts locally, up to 1/`instances` of each quota. If `instances` is `undefined`, it uses the number
   * of live processes that the store last reported.
   */
  | { readonly policy: "local"; readonly instances: number | undefined }
  /** Every request is admitted and not counted. */
  | { readonly policy: "admit" }
  /** Every request is refused. */
  | { readonly policy: "refuse" };

const mostInstances = 1_000_000;

/**
 * @param layer the layer's name, for the message.
 * @throws HeadgateError `policy-invalid`, naming the layer and the value.
 */
export function defineOutagePolicy(layer: string, option: OutageOption | undefined): OutagePolicy {
  if (option === undefined || option === "local") return { policy: "local", instances: undefined };
  if (option === "admit" || option === "refuse") return { policy: option };
  const isObject = typeof option === "object" && option !== null && !Array.isArray(option);
  if (isObject)
    checkOptions(`The outage policy of layer "${layer}"`, option, ["policy", "instances"], "policy-invalid");
  if (!isObject || option.policy !== "local") {
    const got = isObject
      ? `{ policy: ${show(option.policy)}${"instances" in option ? ", instances" : ""} }`
      : show(option);
    throw new HeadgateError(
      "policy-invalid",
      `The outage policy of layer "${layer}" must be "local", "admit", "refuse" or ` +
        `{ policy: "local", instances: 10 }, got ${got}.`,
    );
  }
  const { instances } = option;
  if (instances === undefined) return { policy: "local", instances };
  if (!Number.isSafeInteger(instances) || instances < 1 || instances > mostInstances) {
    throw new HeadgateError(
      "policy-invalid",
      `The instances of layer "${layer}" must be a whole number from 1 to ${mostInstances}, got ${show(instances)}.`,
    );
  }
  return { policy: "local", instances };
}
