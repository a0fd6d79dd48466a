import { readdirSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "vitepress";
import { groups } from "../navigation.mts";

const site = path.join(import.meta.dirname, "..");
export default defineConfig({
  title: "Headgate",
  description: "Admission control for expensive endpoints, in TypeScript",
  lang: "en-GB",
  srcDir: "pages",
  outDir: "../docs/dist",
  cacheDir: "node_modules/.vitepress",
  // A page without a place in the navigation fails the build, as a dead link does.
  ignoreDeadLinks: [/^http:\/\/localhost/],
  head: [["link", { rel: "icon", href: "/mark.svg" }]],
  vite: { publicDir: path.join(site, "public") },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: [...groups(path.join(site, "../docs")), referenceGroup()],
  },
  markdown: {
    languageAlias: { sh: "bash" },
    // The anchors that GitHub gives: links within the guide hold in both places.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, "")
          .replaceAll(" ", "-"),
    },
    config(md) {
      // What stands behind the language tells the tests how to run an example.
      const fence = md.renderer.rules.fence;
      md.renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index];
        if (token) token.info = token.info.split(" ")[0] ?? "";
        return fence?.(tokens, index, ...rest) ?? "";
      };
    },
  },
});

function referenceGroup() {
  const folder = path.join(site, "pages/reference");
  const modules = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".md"),
  );
  const items = modules.map((name) => name.slice(0, -3)).filter((name) => name !== "index");
  return {
    text: "Reference",
    items: [
      { text: "Errors", link: "/errors" },
      { text: "All exports", link: "/reference/" },
      ...items.sort().map((name) => ({ text: name, link: `/reference/${name}` })),
    ],
  };
}
