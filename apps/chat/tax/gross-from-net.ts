import { largestSalary, type Pay, PayError, workOut } from "./work-out.ts";

/**
 * The lowest whole-pound salary whose pay leaves at least `takeHome`. Pounds a year.
 * @throws {PayError} when no salary up to the largest leaves so much
 */
export function grossFromNet(takeHome: number, pay: Omit<Pay, "salary">): number {
  const fixed = pay.pension?.amount ?? 0;
  const leaves = (salary: number) => workOut({ ...pay, salary }).takeHome;
  if (!(takeHome >= 0) || takeHome > leaves(largestSalary)) {
    throw new PayError(`No salary up to £10,000,000 a year leaves £${takeHome}.`);
  }
  let low = Math.ceil(fixed);
  let high = largestSalary;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (leaves(middle) >= takeHome) high = middle;
    else low = middle + 1;
  }
  return low;
}
