import { type Figure, figureOf } from "./figures.ts";

/**
 * Measures all contenders in turn, round by round, so that changes in the machine's load affect all of them. Each round
 * begins with another contender.
 *
 * @returns a figure for each name
 */
export async function interleaved(
  rounds: number,
  names: readonly string[],
  measure: (name: string, round: number) => Promise<number>,
): Promise<ReadonlyMap<string, Figure>> {
  const measured = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + round) % names.length] as string;
      measured.get(name)?.push(await measure(name, round));
    }
  }
  return new Map([...measured].map(([name, values]) => [name, figureOf(values)]));
}
