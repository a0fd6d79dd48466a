import { readdirSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "vitepress";
import { groups } from "../navigation.mts";
import { searchOptions } from "../search.mts";

const site = path.join(import.meta.dirname, "..");
export default defineConfig({
  title: "Headgate",
  description: "Admission control for expensive endpoints, in TypeScript",
  lang: "en-GB",
  srcDir: "pages",
  outDir: "../docs/dist",
  cacheDir: "node_modules/.vitepress",
  // A page that is not in the navigation fails the build, like a dead link.
  ignoreDeadLinks: [/^http:\/\/localhost/],
  head: [["link", { rel: "icon", href: "/mark.svg" }]],
  vite: { publicDir: path.join(site, "public") },
  themeConfig: {
    search: { provider: "local", options: { miniSearch: { searchOptions } } },
    nav: [
      { text: "Guide", link: "/quick-start" },
      { text: "Recipes", link: "/recipes" },
      { text: "Deploying", link: "/deploying" },
      { text: "Help", link: "/troubleshooting" },
      { text: "Reference", link: "/reference/" },
      { text: "Changelog", link: "/changelog" },
    ],
    outline: { level: [2, 3], label: "On this page" },
    sidebar: [...groups(path.join(site, "../docs")), referenceGroup()],
    notFound: {
      title: "Page not found",
      quote: "There is no page at this address. Try the search, or start from the home page.",
      linkLabel: "go to the home page",
      linkText: "Home page",
    },
    footer: {
      message:
        '<a href="/licence">MIT licence</a> · <a href="/security">Security</a> · <a href="/changelog">Changelog</a> · <a href="/upgrading">Upgrading</a>',
    },
  },
  markdown: {
    languageAlias: { sh: "bash", conf: "nginx" },
    // GitHub's anchors, so that links within the guide work in both places.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, "")
          .replaceAll(" ", "-"),
    },
    config(md) {
      // Hide "no-run", which tells the tests that an example does not run by itself.
      const fence = md.renderer.rules.fence;
      md.renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index];
        if (token) token.info = token.info.replace(/ no-run\b/, "");
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
      { text: "All exports", link: "/reference/" },
      ...items.sort().map((name) => ({ text: name, link: `/reference/${name}` })),
    ],
  };
}
