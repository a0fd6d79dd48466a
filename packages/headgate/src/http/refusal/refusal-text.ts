import type { RefusalProblem } from "./refusal.ts";

/** A refusal for a person at a terminal. */
export function refusalText({ error, detail }: RefusalProblem): string {
  return `${error}\n\n${detail}\n`;
}

/**
 * A refusal for a person in a browser: one self-contained page that works on phones, in dark mode and with screen
 * readers, and does not reload itself.
 */
export function refusalPage({ error, detail }: RefusalProblem): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(error)}</title>
<style>
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
main { max-width: 32rem; margin: 15vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; }
</style>
</head>
<body>
<main>
<h1>${escapeHtml(error)}</h1>
<p>${escapeHtml(detail)}</p>
</main>
</body>
</html>
`;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
