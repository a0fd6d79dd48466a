import highlighter from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import http from "highlight.js/lib/languages/http";
import ini from "highlight.js/lib/languages/ini";
import json from "highlight.js/lib/languages/json";
import nginx from "highlight.js/lib/languages/nginx";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { escapeHtml } from "./text.ts";

const languages = { bash, http, ini, json, nginx, sql, typescript, xml, yaml };
for (const [name, language] of Object.entries(languages)) highlighter.registerLanguage(name, language);

/** Code as a block; a language that is not known is left plain. */
export function codeBlock(code: string, language = ""): string {
  // Whoever cannot use a pointer scrolls it by the arrow keys, and so must be able to get into it.
  return `<div class="code"><pre tabindex="0"><code>${highlight(code.trimEnd(), language)}</code></pre></div>`;
}

/** Code as HTML, its words marked by classes. */
export function highlight(code: string, language: string): string {
  const known = highlighter.getLanguage(language) !== undefined;
  return known ? highlighter.highlight(code, { language }).value : escapeHtml(code);
}
