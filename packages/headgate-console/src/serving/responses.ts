/** The page runs only its own files, and cannot be framed. */
const SECURITY: Record<string, string> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

interface Answer {
  status?: number;
  headers?: Record<string, string>;
}

/** Creates a response that is never cached, because it shows current and personal data. */
export function text(body: string, type: string, { status = 200, headers = {} }: Answer = {}): Response {
  return new Response(body, {
    status,
    headers: { ...SECURITY, "Content-Type": type, "Cache-Control": "no-store", ...headers },
  });
}

export function json(value: unknown, answer: Answer = {}): Response {
  return text(JSON.stringify(value), "application/json", answer);
}

/** Creates a problem document (RFC 9457). */
export function problem(status: number, title: string, detail: string, more: object = {}): Response {
  return text(
    JSON.stringify({ type: "about:blank", title, status, detail, ...more }),
    "application/problem+json",
    { status },
  );
}

export function notFound(): Response {
  return problem(404, "Not found", "There is no such page.");
}

export function unauthorized(): Response {
  return problem(401, "Not signed in", "Only operators see this.");
}

/**
 * Formats a table as CSV (RFC 4180). Cells that a spreadsheet would read as formulas are marked as text. This includes
 * text after a semicolon or tab, because some spreadsheets split lines there, whatever the quotation marks.
 */
export function csv(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value);
  const marked = text.replace(/([;\t\r\n][\s"]*)(?=[=+\-@])/g, "$1'");
  const safe = /^[=+\-@\t\r]/.test(marked) ? `'${marked}` : marked;
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
