import { largestSalary, type Pay, PayError, workOut } from "./work-out.ts";

/**
 * Returns the lowest whole-pound salary with a take-home of at least `takeHome`, in pounds a year.
 * @throws {PayError} if no salary up to the maximum is enough
 */
export function grossFromNet(takeHome: number, pay: Omit<Pay, "salary">): number {
  const fixed = pay.pension?.amount ?? 0;
  const leaves = (salary: number) => workOut({ ...pay, salary }).takeHome;
  if (!(takeHome >= 0) || takeHome > leaves(largestSalary)) {
    throw new PayError(`No salary up to £10,000,000 a year gives a take-home of £${takeHome}.`);
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
