import { pageFiles } from "#page";
import { notFound, text } from "./responses.ts";

/** Answers with the page. Its addresses are relative, so that they work behind any proxy prefix. */
export async function page(path: string, place: string, title: string): Promise<Response> {
  const { script, style } = await files();
  const base = place === "" ? `${path.slice(path.lastIndexOf("/") + 1)}/` : "";
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>Operator · ${escaped(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}assets/${style.name}">
<script type="module" src="${base}assets/${script.name}"></script>
</head>
<body>
<div id="console"></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
`;
  return text(html, "text/html; charset=utf-8", { headers: { "Cache-Control": "no-cache" } });
}

interface File {
  name: string;
  body: string;
  type: string;
}

let made: Promise<{ script: File; style: File }> | undefined;

/** Named by their content, so that browsers can cache them for ever. */
function files(): Promise<{ script: File; style: File }> {
  made ??= (async () => {
    const { script, style } = await pageFiles();
    return {
      script: {
        name: `console-${await digest(script)}.js`,
        body: script,
        type: "text/javascript; charset=utf-8",
      },
      style: { name: `console-${await digest(style)}.css`, body: style, type: "text/css; charset=utf-8" },
    };
  })();
  return made;
}

/** Answers a request for a file of the page. */
export async function asset(name: string): Promise<Response> {
  const { script, style } = await files();
  const file = [script, style].find((one) => one.name === name);
  if (file === undefined) return notFound();
  return text(file.body, file.type, {
    headers: { "Cache-Control": "public, max-age=31536000, immutable" },
  });
}

async function digest(body: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
  return [...bytes.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
