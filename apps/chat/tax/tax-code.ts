/** Tax codes, by which an employer deducts income tax: https://www.gov.uk/tax-codes/what-your-tax-code-means */
import type { Nation } from "./rates.ts";

export interface TaxCode {
  /** The code without the prefix of the nation: "1100L", "K475", "BR". */
  code: string;
  /** The pay without income tax, in pounds a year. Below 0 for a K code, which adds to the taxed pay. */
  allowance: number;
  /** For codes that tax all pay at one rate: the name of the band; `null` for no income tax. */
  band?: string | null;
}

const bandOf: Record<string, string> = { BR: "Basic rate", D0: "Higher rate", D1: "Additional rate" };
const scottishBandOf: Record<string, string> = {
  BR: "Basic rate",
  D0: "Intermediate rate",
  D1: "Higher rate",
  D2: "Advanced rate",
  D3: "Top rate",
};

/** The code of most employees. It gives the whole personal allowance. */
export const usualTaxCode = "1257L";

/** Returns the tax code; `undefined` if it does not exist in the nation. */
export function taxCodeOf(code: string, nation: Nation): TaxCode | undefined {
  const added = /^K(\d{1,4})$/.exec(code)?.[1];
  const free = /^(\d{1,4})[LMNT]$/.exec(code)?.[1];
  if (added !== undefined) return { code, allowance: -10 * Number(added) };
  if (free !== undefined) return { code, allowance: 10 * Number(free) };
  if (code === "NT") return { code, allowance: 0, band: null };
  const band = (nation === "Scotland" ? scottishBandOf : bandOf)[code];
  return band === undefined ? undefined : { code, allowance: 0, band };
}

/** Splits "SK475" into the code and the nation of its prefix. */
export function splitPrefix(written: string): { code: string; nation: Nation | undefined } {
  const [, prefix, code = written] = /^([SC])(?=[\dKBD])(.+)$/.exec(written.toUpperCase()) ?? [];
  return {
    code: code.toUpperCase(),
    nation: prefix === "S" ? "Scotland" : prefix === "C" ? "Wales" : undefined,
  };
}

/** Returns why a code does not exist in the nation and what would be right; `undefined` if it exists. */
export function taxCodeProblem(code: string, nation: Nation): string | undefined {
  if (taxCodeOf(code, nation)) return undefined;
  if (taxCodeOf(code, "Scotland")) return `${code} is a tax code of Scotland: write S${code}.`;
  return `“${code}” is not a tax code. Write it as on a payslip, such as 1257L, 1100L, K475, BR or 0T.`;
}

/**
 * Reads a tax code as typed by a person: spaces, small letters, the prefix of a nation, and the mark of an emergency code
 * (W1, M1 or X), which does not change a year's tax of the same pay.
 * @param nation where the person lives, if the code has no prefix
 * @returns the code and its nation; the code is `undefined` for the usual code, also if nothing is typed
 */
export function readTaxCode(
  typed: string,
  nation: Nation,
): { code: string | undefined; nation: Nation } | { problem: string } {
  const plain = typed
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "")
    .replace(/(?<=.)(?:[WM]1|X)$/, "");
  const { code, nation: ofPrefix = nation } = splitPrefix(plain);
  if (code === "" || code === usualTaxCode) return { code: undefined, nation: ofPrefix };
  const problem = taxCodeProblem(code, ofPrefix);
  return problem === undefined ? { code, nation: ofPrefix } : { problem };
}
