/** Dividends, savings interest and rent next to pay. */
import { incomeTax } from "../../../../tax/income-tax.ts";
import {
  dividendRatesOf,
  dividendTax,
  type OtherTax,
  otherIncomeSources,
  propertyAllowance,
  rentARoom,
  savingsAllowance,
  savingsTax,
  startingRateLimit,
  taxOnTop,
} from "../../../../tax/other-income.ts";
import { ratesOf, type TaxYear } from "../../../../tax/rates.ts";
import { isKnownTaxYear, taxYearBeginning } from "../../../../tax/tax-year.ts";
import { list, pounds } from "../wording.ts";
import {
  after,
  asksTax,
  before,
  type Given,
  isMoney,
  money,
  percentOf,
  rate,
  salaryRoles,
  type Topic,
} from "./topic.ts";

const noOtherIncome = "no other income|only income|nothing else|no (?:job|salary|wages?)";

function payOf(given: Given): number | undefined {
  return given.yearly("salary") ?? (given.has(noOtherIncome) ? 0 : undefined);
}

const dividend = "(?:dividends?|dividens|divedends?)";
const bandNames = ["basic", "higher", "additional"] as const;

/** "£1,000 at 10.75% and £5,028 for the personal allowance that is lost" */
function partsOf({ parts, lostAllowance }: OtherTax, rates: readonly number[]): string {
  const shown = parts.flatMap((part, at) => (part > 0 ? `${money(part)} at ${rate(rates[at] ?? 0)}` : []));
  if (lostAllowance > 0) shown.push(`${money(lostAllowance)} because the personal allowance shrinks`);
  return list(shown);
}

const nextTo = (pay: number) => (pay === 0 ? "with no other income" : `next to ${money(pay)} of pay`);

/** The income tax on the pay and on the other income. */
function together(given: Given, pay: number, tax: number): string {
  if (pay === 0) return "";
  const { nation, taxYear } = given;
  const whole = incomeTax({ income: pay, nation, taxYear }).tax + tax;
  return ` With the income tax on the pay it is ${money(whole)}.`;
}

function yearBefore(taxYear: TaxYear): TaxYear | undefined {
  const earlier = taxYearBeginning(Number(taxYear.slice(0, 4)) - 1);
  return isKnownTaxYear(earlier) ? earlier : undefined;
}

function dividendsWith(given: Given) {
  const { taxYear, nation } = given;
  const amount = given.yearly("dividends");
  if (amount === undefined) return undefined;
  const { allowance, rates } = dividendRatesOf[taxYear];
  const pay = payOf(given);
  const source = otherIncomeSources.dividends;
  if (pay === undefined) {
    const taxed = Math.max(0, amount - allowance * 100);
    const sums = rates.map(
      (at, index) => `${money(percentOf(taxed, at / 100))} at the ${bandNames[index]} rate`,
    );
    return {
      text: `Of ${money(amount)} in dividends ${pounds(allowance)} is free of tax. On the other ${money(taxed)} the tax is ${sums.slice(0, 2).join(" or ")} (${taxYear}), depending on your other income. Give your salary for the sum.`,
      source,
    };
  }
  const result = dividendTax({ pay, amount, nation, taxYear });
  const { tax } = result;
  const shown = partsOf(result, rates);
  const compared = given.has("(?:than|to|with|and|vs) last year") ? yearBefore(taxYear) : undefined;
  const earlier =
    compared === undefined
      ? ""
      : ` In ${compared} the same dividends cost ${money(dividendTax({ pay, amount, nation, taxYear: compared }).tax)}.`;
  const due = given.has("january|due|put aside|bill")
    ? ` The bill for ${taxYear} is due by 31 January ${Number(taxYear.slice(0, 4)) + 2}.`
    : "";
  return {
    text: `The tax on ${money(amount)} of dividends ${nextTo(pay)} is **${money(tax)}** (${taxYear})${shown === "" ? "" : `: ${shown}, after the allowances`}. The first ${pounds(allowance)} of taxable dividends is free; no National Insurance is due.${together(given, pay, tax)}${earlier}${due}`,
    source,
  };
}

const dividends: Topic = {
  subject: "tax on dividends",
  about: `${dividend}(?: .*)?`,
  asks: `${asksTax}|${dividend} tax`,
  roles: [
    ["dividends", after(`${dividend}(?: income)?`), isMoney],
    ["dividends", before(`${dividend}(?: (?:income|tax|payments?))?`), isMoney],
    ...salaryRoles,
    ["salary", before("myself"), isMoney],
  ],
  calculate: dividendsWith,
  explain({ taxYear }) {
    const { allowance, rates } = dividendRatesOf[taxYear];
    const [basic = 0, higher = 0, additional = 0] = rates;
    return {
      text: `The first **${pounds(allowance)}** of dividends is free of tax (${taxYear}). Above that they are taxed as the top part of your income: **${rate(basic)}** in the basic band (to £50,270), **${rate(higher)}** in the higher, **${rate(additional)}** above £125,140. No National Insurance is due, and dividends in an ISA are free of tax.`,
      source: otherIncomeSources.dividends,
    };
  },
};

const savings: Topic = {
  subject: "tax on savings and investments",
  about:
    "(?:savings?|bank) interest(?: .*)?|interest (?:on|from) savings|(?:earned )?interest (?:of |is |was )?#|# (?:of |in )?interest|(?:personal )?savings? allowance|tax(?:ed)? on savings|interest(?: .*)? savings",
  unless: "lisa|isa|(?:student )?loans?|plan #|mortgage|debt|credit card",
  asks: `${asksTax}|anything due|due`,
  roles: [
    ["interest", after("(?:(?:savings?|bank) )?interest(?: (?:on|from) savings)?"), isMoney],
    ["interest", before("(?:(?:savings?|bank) )?interest"), isMoney],
    ...salaryRoles,
  ],
  calculate(given) {
    const amount = given.yearly("interest");
    const pay = payOf(given);
    if (amount === undefined || pay === undefined) return undefined;
    const { nation, taxYear } = given;
    const result = savingsTax({ pay, amount, nation, taxYear });
    const { tax, taxed, allowance, starting } = result;
    const rates = ratesOf[taxYear].bands.map((band) => band.rate);
    const shown = partsOf(result, rates);
    const low = starting > 0 ? " and the starting rate for savings" : "";
    return {
      text:
        taxed === 0
          ? `The tax on ${money(amount)} of interest ${nextTo(pay)} is **£0** (${taxYear}): it is within your savings allowance of ${money(allowance)}${low}.`
          : `The tax on ${money(amount)} of interest ${nextTo(pay)} is **${money(tax)}** (${taxYear}): ${shown}, after a savings allowance of ${money(allowance)}${low}.${together(given, pay, tax)} HMRC usually takes it through your tax code.`,
      source: otherIncomeSources.savings,
    };
  },
  explain: ({ taxYear }) => ({
    text: `Interest is free of tax up to your personal savings allowance: **${pounds(savingsAllowance.basic)}** for basic-rate payers, **${pounds(savingsAllowance.higher)}** for higher-rate payers, none above £125,140 (${taxYear}). People who earn less than £17,570 have a starting rate of 0% on up to ${pounds(startingRateLimit)} more. Above that interest is taxed at 20%, 40% or 45%; in an ISA it is free.`,
    source: otherIncomeSources.savings,
  }),
};

const rent: Topic = {
  subject: "rent received",
  about: "rent(?:ing|ed)? out|rental (?:income|profits?)|landlord|buy to let",
  asks: asksTax,
  roles: [
    ["rent", after("rent|rental (?:income|profits?)|profits?"), isMoney],
    ["rent", before("makes|brings in|rental (?:income|profits?)|rent|profits?"), isMoney],
    ...salaryRoles,
  ],
  calculate(given) {
    const amount = given.yearly("rent");
    const pay = given.yearly("salary");
    if (amount === undefined || pay === undefined) return undefined;
    if (given.has("mortgages?") && !given.has("no mortgages?")) return undefined;
    const { nation, taxYear } = given;
    const tax = taxOnTop({ pay, amount, nation, taxYear });
    return {
      text: `${money(amount)} of rent after costs adds **${money(tax)}** of income tax to ${money(pay)} of pay (${taxYear}), so you keep **${money(amount - tax)}**. Only the part above a band's limit is taxed at the higher rate, and no National Insurance is due. The first ${pounds(propertyAllowance)} of rent can be free instead of the costs.`,
      source: otherIncomeSources.rent,
    };
  },
  explain: ({ taxYear }) => ({
    text: `The profit from rent is added to your other income and taxed at your rate, without National Insurance. The first **${pounds(propertyAllowance)}** of rent a year is free of tax, or **${pounds(rentARoom)} from a lodger** in your own home (${taxYear}).`,
    source: otherIncomeSources.rent,
  }),
};

export const investmentTopics: Topic[] = [dividends, savings, rent];
