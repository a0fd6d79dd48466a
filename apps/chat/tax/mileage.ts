/**
 * Approved mileage allowance payments for business miles in one's own car or van:
 * https://www.gov.uk/government/publications/rates-and-allowances-travel-mileage-and-fuel-allowances
 */
import type { TaxYear } from "./rates.ts";

export const mileageSource = "https://www.gov.uk/tax-relief-for-employees/vehicles-you-use-for-work";

/** Pence a mile. The first rate rose on 21 May 2026, with effect from 6 April 2026. */
export const mileageOf: Record<TaxYear, { first: number; further: number }> = {
  "2024/25": { first: 45, further: 25 },
  "2025/26": { first: 45, further: 25 },
  "2026/27": { first: 55, further: 25 },
};

export const firstMiles = 10_000;

/** @returns pence */
export function approvedMileage(miles: number, taxYear: TaxYear): number {
  const { first, further } = mileageOf[taxYear];
  return Math.round(Math.min(miles, firstMiles) * first + Math.max(0, miles - firstMiles) * further);
}
