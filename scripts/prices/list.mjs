/** The table of providers' prices, and the module generated from it. Both are in the repository. */
export const TABLE = new URL("../../apps/chat/server/model/prices.json", import.meta.url);
export const LIST = new URL("../../apps/chat/server/model/price-list.ts", import.meta.url);

/**
 * @typedef {{ input: string, cachedInput: string, output: string }} Price decimals of the currency, for a million
 * tokens
 */
/**
 * @typedef {{ perUnit: string, version: string, source: string }} Rate units of the table's currency for one unit of
 * another, as published
 */
/** @typedef {{ version: string, currency: string, sources: Record<string, string>, rates: Record<string, Rate>, perMillionTokens: Record<string, Price> }} Table */

/**
 * Writes a price table as a module of integers.
 *
 * @param {Table} table
 * @returns {string}
 * @throws {Error} for an invalid table, naming the place
 */
export function priceList({ version, currency, sources, rates, perMillionTokens }) {
  if (!/\S/.test(version)) throw new Error('version: should name these prices, such as "list 2026-11"');
  if (!/^[A-Z]{3}$/.test(currency))
    throw new Error(`currency is ${JSON.stringify(currency)}: should be a code such as USD`);
  const rows = Object.entries(perMillionTokens).map(([model, price]) => {
    const source = Object.keys(sources).find((family) => model.startsWith(family));
    if (source === undefined) throw new Error(`${model}: sources should say where its price is published`);
    const members = /** @type {const} */ ([
      ["input", "inputPerMillion"],
      ["cachedInput", "cachedInputPerMillion"],
      ["output", "outputPerMillion"],
    ]).map(([name, member]) => `${member}: ${grouped(micros(price[name], `${model}.${name}`))}`);
    return `  ${JSON.stringify(model)}: { ${members.join(", ")} },`;
  });
  const exchange = Object.entries(rates).map(
    ([code, rate]) =>
      `  ${code}: { rate: ${grouped(inverse(code, rate))}, version: ${JSON.stringify(rate.version)} },`,
  );
  return [
    "// `npm run prices` writes this file from prices.json: change that file, not this one.",
    "",
    `export const LIST_VERSION = ${JSON.stringify(version)};`,
    `export const LIST_CURRENCY = ${JSON.stringify(currency)};`,
    "",
    `/** Micros of ${currency} for a million tokens. */`,
    "export const listPrices: Readonly<Record<string, { inputPerMillion: number; cachedInputPerMillion: number; outputPerMillion: number }>> = {",
    ...rows,
    "};",
    "",
    `/** What one ${currency} costs in other currencies, in micros of that currency. */`,
    "export const listRates: Readonly<Record<string, { rate: number; version: string }>> = {",
    ...exchange,
    "};",
    "",
  ].join("\n");
}

/**
 * The price of one unit of the table's currency, in micros of another, to the nearest.
 *
 * @param {string} code
 * @param {Rate} rate
 */
function inverse(code, { perUnit, version, source }) {
  if (!/^[A-Z]{3}$/.test(code))
    throw new Error(`rates.${code}: should be the rate of a currency with a code such as GBP`);
  if (!/\d{4}-\d{2}/.test(version))
    throw new Error(
      `rates.${code}.version: should say whose rate it is, and from when, such as "HMRC 2026-06"`,
    );
  if (!/^https:\/\//.test(source)) throw new Error(`rates.${code}.source: should say where it is published`);
  const inverted = Math.round(1e12 / micros(perUnit, `rates.${code}.perUnit`));
  if (inverted > 0 && Number.isSafeInteger(inverted)) return inverted;
  throw new Error(`rates.${code}.perUnit is ${JSON.stringify(perUnit)}: should be above 0`);
}

/**
 * @param {string | undefined} text
 * @param {string} place
 */
function micros(text, place) {
  const match = /^(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text ?? "");
  if (!match)
    throw new Error(
      `${place} is ${JSON.stringify(text)}: should be a decimal such as "0.15", with at most six decimals`,
    );
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? "").padEnd(6, "0"));
}

/** @param {number} integer */
function grouped(integer) {
  return String(integer).replace(/\B(?=(\d{3})+$)/g, "_");
}
