import { HeadgateError } from "headgate";
import { type PolicyDocument, policySchema, readPolicyDocument } from "headgate/policy-document";
import { type JsonPath, type JsonText, JsonTextError, readJsonText, type TextPlace } from "./json-text.ts";

/** A mistake in the text of a policy. */
export interface PolicyMistake extends TextPlace {
  /** The field, such as `layers[0].limits`; empty for the whole document. */
  field: string;
  message: string;
}

export type ReadPolicy = { document: PolicyDocument } | { mistake: PolicyMistake };

/** The maximum length of a policy, in characters. About 300 plans fit. */
export const LONGEST_POLICY = 65_536;

/** Reads the policy that an operator typed. Returns the first mistake with its position. */
export function readPolicyText(text: string): ReadPolicy {
  if (text.length > LONGEST_POLICY)
    return mistake([], { line: 1, column: 1 }, `A policy has at most ${LONGEST_POLICY} characters.`);
  let json: JsonText;
  try {
    json = readJsonText(text);
  } catch (error) {
    if (error instanceof JsonTextError) return mistake([], error.place, error.message);
    throw error;
  }
  const reason = whyUnreadable(json.value);
  if (reason === undefined) return { document: json.value as PolicyDocument };
  const path = pathOfMistake(json.value);
  return mistake(path, json.placeOf(path), reason);
}

/**
 * Finds the position of a limiter's error about a policy that is valid by itself, such as an unused unit.
 *
 * @param isUsable returns whether the limiter accepts these layers
 */
export function mistakeOfUse(
  text: string,
  { layers, ...rest }: PolicyDocument,
  isUsable: (document: PolicyDocument) => boolean,
  message: string,
): PolicyMistake {
  const json = readJsonText(text);
  const index = firstOf(layers.length, (l) => !isUsable({ layers: layers.slice(0, l + 1) }));
  const path = index < layers.length ? ["layers", index] : Object.keys(rest).slice(0, 1);
  return mistake(path, json.placeOf(path), message).mistake;
}

/** Formats a mistake as one sentence: `Line 4, layers[0].limits: …`. */
export function sentenceOf({ line, field, message }: PolicyMistake): string {
  return `Line ${line}${field === "" ? "" : `, ${field}`}: ${message}`;
}

function mistake(path: JsonPath, { line, column }: TextPlace, message: string): { mistake: PolicyMistake } {
  const field = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
    .join("")
    .replace(/^\./, "");
  return { mistake: { line, column, field, message } };
}

function whyUnreadable(value: unknown): string | undefined {
  try {
    readPolicyDocument(value);
    return undefined;
  } catch (error) {
    if (error instanceof HeadgateError) return error.message;
    throw error;
  }
}

const usual = { name: "x", limits: "1/minute" };
const isUsable = (layer: object) => whyUnreadable({ layers: [layer] }) === undefined;

/** Finds the mistake in an invalid document by reading its parts separately. */
function pathOfMistake(value: unknown): JsonPath {
  if (!isObject(value)) return [];
  const unknown = unknownMember(value, policySchema.properties);
  if (unknown !== undefined) return [unknown];
  const { layers, units } = value;
  if (!Array.isArray(layers) || layers.length === 0) return ["layers"];
  const index = layers.findIndex((layer) => whyUnreadable({ layers: [layer] }) !== undefined);
  if (index >= 0) return ["layers", index, ...pathInLayer(layers[index])];
  if (units !== undefined && whyUnreadable({ layers: [usual], units }) !== undefined) return ["units"];
  // If each layer is valid by itself, two of them conflict.
  const twice = firstOf(
    layers.length,
    (l) => whyUnreadable({ layers: layers.slice(0, l + 1) }) !== undefined,
  );
  return twice === layers.length ? ["layers"] : ["layers", twice, "name"];
}

/**
 * Returns the first number below `length` from which on `isWrong` is always true; `length` if there is none. A
 * binary search, because each check is costly.
 */
function firstOf(length: number, isWrong: (index: number) => boolean): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (isWrong(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

function pathInLayer(layer: unknown): JsonPath {
  if (!isObject(layer)) return [];
  if (typeof layer.name !== "string" || !isUsable({ ...usual, name: layer.name })) return ["name"];
  const unknown = unknownMember(layer, policySchema.properties.layers.items.properties);
  if (unknown !== undefined) return [unknown];
  for (const member of ["key", "outage"])
    if (layer[member] !== undefined && !isUsable({ ...usual, [member]: layer[member] })) return [member];
  if (layer.limits !== undefined && !isUsable({ ...usual, limits: layer.limits })) return ["limits"];
  const { plans, defaultPlan, defaultLimits, units } = layer;
  if (isObject(plans)) {
    const wrong = Object.keys(plans).find((plan) => !isUsable({ ...usual, limits: plans[plan] }));
    if (wrong !== undefined) return ["plans", wrong];
    if (typeof defaultPlan !== "string" || !Object.hasOwn(plans, defaultPlan))
      return [defaultPlan === undefined ? "plans" : "defaultPlan"];
  }
  if (defaultLimits !== undefined) {
    if (!isUsable({ ...usual, limits: defaultLimits })) return ["defaultLimits"];
    if (units !== undefined) return ["units"];
  }
  return [];
}

function unknownMember(value: Record<string, unknown>, known: object): string | undefined {
  return Object.keys(value).find((member) => !Object.hasOwn(known, member));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
