import type { RefusalProblem } from "./refusal.ts";

/** A refusal for a person at a terminal. */
export function refusalText({ error, detail }: RefusalProblem): string {
  return `${error}\n\n${detail}\n`;
}

/**
 * A refusal for a person in a browser: one page that needs nothing else, reads well on a phone, in the dark and aloud,
 * and does not reload itself.
 */
export function refusalPage({ error, detail, retry_after_seconds: seconds }: RefusalProblem): string {
  const wait =
    seconds === null
      ? ""
      : `\n<p>You can try again in <time datetime="PT${seconds}S">${waitInWords(seconds)}</time>.</p>`;
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
time { font-weight: bold; }
</style>
</head>
<body>
<main>
<h1>${escapeHtml(error)}</h1>
<p>${escapeHtml(detail)}</p>${wait}
</main>
</body>
</html>
`;
}

/** Rounded up, as the wait is: never too early. */
function waitInWords(seconds: number): string {
  if (seconds < 120) return counted(seconds, "second");
  if (seconds < 7200) return counted(Math.ceil(seconds / 60), "minute");
  if (seconds < 172_800) return counted(Math.ceil(seconds / 3600), "hour");
  return counted(Math.ceil(seconds / 86_400), "day");
}

function counted(count: number, unit: string): string {
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
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
