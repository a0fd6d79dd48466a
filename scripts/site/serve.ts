import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buildSite, type Site } from "./build.ts";
import { escapeHtml } from "./text.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  webp: "image/webp",
};

/**
 * Serves the site on the loopback address while it is being written. Whoever asks for a page gets it as the files say
 * now, and in place of a site with a fault the fault.
 *
 * @param port 0 for any that is free
 * @returns the address
 */
export async function serveSite(port: number): Promise<string> {
  let site: Site | undefined;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://site");
    const file = decodeURIComponent(pathname.slice(1)).replace(/(^|\/)$/, "$1index.html");
    try {
      if (site === undefined || file.endsWith(".html")) site = await buildSite();
    } catch (error) {
      response.writeHead(500, { "Content-Type": TYPES.html });
      response.end(`<pre>${escapeHtml(error instanceof Error ? error.message : String(error))}</pre>`);
      return;
    }
    const content = site.get(file);
    if (content === undefined) {
      response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end(`There is no ${file}`);
      return;
    }
    const type = TYPES[file.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store" }).end(content);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
