import type { Plugin } from "vite";

/** The letters of English; those of other scripts are loaded where they are written. */
const latin = /inter-latin-wght-normal.*\.woff2$/;

/** Has the font loaded with the first request and not once the styles are read: words are drawn in it from the start. */
export function preloadFont(): Plugin {
  return {
    name: "preload-font",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle }) {
        const fileName = Object.keys(bundle ?? {}).find((name) => latin.test(name));
        if (!fileName) throw new Error("The font of the page is not among its files: see design/style.css.");
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
