/**
 * Returns the ticks of an axis from 0. The step is 1, 2, 2.5 or 5 times a power of ten: the largest that gives at least
 * `least` ticks.
 */
export function axisTicks(highest: number, least = 3): number[] {
  if (!(highest > 0) || !Number.isFinite(highest)) return [0];
  const rough = highest / least;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [5, 2.5, 2, 1].map((factor) => factor * power).find((candidate) => candidate <= rough) ?? power;
  const count = Math.floor(highest / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Returns n so that every nth of `count` labels fits into `width`, if each takes `labelWidth`. */
export function labelStep(count: number, width: number, labelWidth: number): number {
  const room = Math.max(1, Math.floor(width / labelWidth));
  return Math.max(1, Math.ceil(count / room));
}
