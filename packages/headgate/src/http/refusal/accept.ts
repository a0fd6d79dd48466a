/** The content types of a refusal, in order of preference. */
const offered = ["application/problem+json", "text/plain", "text/html"] as const;

export type RefusalType = (typeof offered)[number];

/** No honest client sends more. The rest of a longer field is not read. */
const mostCharacters = 4096;

/**
 * The content type that a client prefers, by its `Accept` field (RFC 9110, section 12.5.1): the highest weight, and for
 * equal weights a problem before text before a page. For each type, the most specific matching range counts. A client
 * that accepts JSON accepts a problem. A client that accepts none of the three gets a problem too, since a refusal in
 * an unwanted form is better than none.
 *
 * @param accept the field's value. The function never throws, whatever the value.
 */
export function preferredType(accept: string | null | undefined): RefusalType {
  if (accept === null || accept === undefined || accept === "" || accept === "*/*") return offered[0];
  const ranges = accept.slice(0, mostCharacters).toLowerCase().split(",").map(readRange);
  let best: RefusalType = offered[0];
  let heaviest = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight > heaviest) {
      best = type;
      heaviest = weight;
    }
  }
  return best;
}

interface MediaRange {
  readonly type: string;
  readonly weight: number;
}

function readRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (weight === undefined) return { type, weight: 1 };
  // A weight has at most three decimals. An invalid weight counts as 0.
  return { type, weight: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 };
}

function weightOf(type: RefusalType, ranges: readonly MediaRange[]): number {
  const names: string[] = [type, `${type.slice(0, type.indexOf("/"))}/*`, "*/*"];
  if (type === "application/problem+json") names.splice(1, 0, "application/json");
  for (const name of names) {
    const matching = ranges.filter((range) => range.type === name);
    if (matching.length > 0) return Math.max(...matching.map(({ weight }) => weight));
  }
  return 0;
}
