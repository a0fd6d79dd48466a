import type { Plugin } from "vite";

/** The font for English. Fonts for other scripts are loaded when they are needed. */
const latin = /inter-latin-wght-normal.*\.woff2$/;

/** Preloads the font, so that text uses it from the first paint, before the styles are read. */
export function preloadFont(): Plugin {
  return {
    name: "preload-font",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle }) {
        const fileName = Object.keys(bundle ?? {}).find((name) => latin.test(name));
        if (!fileName) throw new Error("The page’s font is not among its files: see design/style.css.");
        return [
          {
            tag: "link",
            attrs: { rel: "preload", as: "font", type: "font/woff2", href: `/${fileName}`, crossorigin: "" },
            injectTo: "head",
          },
        ];
      },
    },
  };
}
