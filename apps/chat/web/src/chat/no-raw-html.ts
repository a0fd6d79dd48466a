/**
 * Takes the place of `rehype-raw` in the bundle: HTML in an answer stays text, so the parser for it, a third of the
 * Markdown code, is left out.
 */
export default function noRawHtml() {
  return undefined;
}
