/**
 * Splits what a client or an employer pays in total into the employer's costs and the employee's gross pay:
 * https://www.gov.uk/guidance/working-through-an-umbrella-company
 */
import { employerInsurance } from "./national-insurance.ts";
import { shareOf, toPence } from "./pence.ts";
import { ratesOf, type TaxYear } from "./rates.ts";

export const umbrellaSource = "https://www.gov.uk/guidance/working-through-an-umbrella-company";

/** Hundredths of a per cent of the pay: https://www.gov.uk/guidance/pay-apprenticeship-levy */
export const apprenticeshipLevy = 50;

export interface EmployersSplit {
  gross: number;
  nationalInsurance: number;
  levy: number;
  pension: number;
}

/**
 * The gross pay that a total leaves after the employer's National Insurance and other costs. All in pence a year.
 * @param shares further costs as shares of the gross pay, in hundredths of a per cent
 */
export function grossFromCost(
  total: number,
  taxYear: TaxYear,
  shares: { levy?: number; pension?: number } = {},
): EmployersSplit {
  const { from, rate } = ratesOf[taxYear].employer;
  const { levy = 0, pension = 0 } = shares;
  const others = (levy + pension) / 10_000;
  const withInsurance = (total + (toPence(from) * rate) / 10_000) / (1 + rate / 10_000 + others);
  const gross = Math.round(withInsurance > toPence(from) ? withInsurance : total / (1 + others));
  return {
    gross,
    nationalInsurance: employerInsurance(gross, taxYear),
    levy: shareOf(gross, levy),
    pension: shareOf(gross, pension),
  };
}
